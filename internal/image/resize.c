#include "resize.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>

static inline __m128i load(const unsigned char *p) {
	int v;
	memcpy(&v, p, 4);
	return _mm_cvtsi32_si128(v);
}

// A weight has 23 bits and the processor multiplies and adds pairs of 16: its low 15 bits and the others go separately. The
// sums are exact, as they are in 32 bits modulo 2^32.
static inline void pixel3(const unsigned char *p, unsigned char *q, const uint32_t *weights, size_t taps) {
	const __m128i zero = _mm_setzero_si128();
	__m128i low = _mm_set1_epi32(1 << 21), high = zero;
	for (size_t k = 0; k < taps; k += 2, p += 6) {
		__m128i pair = _mm_unpacklo_epi8(_mm_unpacklo_epi8(load(p), load(p + 3)), zero); // r0 r1 g0 g1 b0 b1
		low = _mm_add_epi32(low, _mm_madd_epi16(pair, _mm_set1_epi32(weights[k])));
		high = _mm_add_epi32(high, _mm_madd_epi16(pair, _mm_set1_epi32(weights[k + 1])));
	}
	__m128i sum = _mm_srli_epi32(_mm_add_epi32(low, _mm_slli_epi32(high, 15)), 22);
	sum = _mm_packs_epi32(sum, sum);
	int v = _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum)); // clips at 255
	memcpy(q, &v, 3);
}
#else
static inline void pixel3(const unsigned char *p, unsigned char *q, const uint32_t *weights, size_t taps) {
	uint32_t sum[3] = {1 << 21, 1 << 21, 1 << 21};
	for (size_t k = 0; k < taps; k++, p += 3) {
		int half = k % 2 * 16;
		uint32_t low = weights[k & ~1] >> half & 0xffff, high = weights[k | 1] >> half & 0xffff;
		for (int c = 0; c < 3; c++) sum[c] += p[c] * (low + (high << 15));
	}
	for (int c = 0; c < 3; c++) q[c] = sum[c] >> 22 > 255 ? 255 : sum[c] >> 22;
}
#endif

void resize_rows3(const unsigned char *in, size_t in_w, unsigned char *out, size_t out_w, size_t rows, const int32_t *from,
		const uint32_t *weights, size_t taps) {
	for (; rows; rows--, in += 3 * in_w) {
		const uint32_t *w = weights;
		for (size_t i = 0; i < out_w; i++, out += 3, w += taps) pixel3(in + 3 * (size_t)from[i], out, w, taps);
	}
}
