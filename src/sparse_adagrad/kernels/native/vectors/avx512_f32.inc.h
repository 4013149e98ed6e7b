/* A register of 16 float32, AVX-512. See portable.inc.h for what is what. */

#define REAL __m512
#define HALF __m256
#define MASK __mmask16
#define OP(name) _mm512_##name##_ps
#define HALF_OP(name) _mm256_##name##_ps
#define WIDEN _mm512_castps256_ps512
#define NARROW _mm512_castps512_ps256
#define INSERT_HALF _mm512_insertf32x8
#define EXTRACT_HALF _mm512_extractf32x8_ps
#include "avx512.inc.h"
