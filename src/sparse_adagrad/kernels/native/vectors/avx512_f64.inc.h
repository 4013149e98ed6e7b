/* A register of 8 float64, AVX-512. See portable.inc.h for what is what. */

#define REAL __m512d
#define HALF __m256d
#define MASK __mmask8
#define OP(name) _mm512_##name##_pd
#define HALF_OP(name) _mm256_##name##_pd
#define WIDEN _mm512_castpd256_pd512
#define NARROW _mm512_castpd512_pd256
#define INSERT_HALF _mm512_insertf64x4
#define EXTRACT_HALF _mm512_extractf64x4_pd
#include "avx512.inc.h"
