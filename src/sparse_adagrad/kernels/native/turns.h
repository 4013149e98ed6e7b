/* A number that one thread writes and others wait for. */
#ifndef SPARSE_ADAGRAD_TURNS_H
#define SPARSE_ADAGRAD_TURNS_H

#include <stdint.h>

#if defined(_MSC_VER)
#include <intrin.h>
#endif
#if defined(_WIN32)
#include <windows.h>
#else
#include <sched.h>
#endif

/* Write it after, and read it before, whatever else this thread writes and reads. */
#if defined(_MSC_VER)
#define sa_store(place, number) ((void)_InterlockedExchange64(place, number))
#define sa_load(place) _InterlockedOr64(place, 0)
#else
#define sa_store(place, number) __atomic_store_n(place, number, __ATOMIC_RELEASE)
#define sa_load(place) __atomic_load_n(place, __ATOMIC_ACQUIRE)
#endif

/* Tell the CPU that it is waited: it saves power, and sees a change the sooner. */
#if defined(_M_X64) || defined(_M_IX86)
#define sa_pause() _mm_pause()
#elif defined(_M_ARM64)
#define sa_pause() __yield()
#elif defined(__i386__) || defined(__x86_64__)
#define sa_pause() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define sa_pause() __asm__ volatile("isb")
#else
#define sa_pause() ((void)0)
#endif

/* Let another thread have this core, if one waits for it. */
#if defined(_WIN32)
#define sa_yield() ((void)SwitchToThread())
#else
#define sa_yield() ((void)sched_yield())
#endif

#endif
