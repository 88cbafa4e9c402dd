#include "png.h"

#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

int png_inflate(const unsigned char *in, size_t len, unsigned char *out, size_t size) {
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	if (!d) return PNG_DAMAGED;
	size_t used;
	enum libdeflate_result result = libdeflate_zlib_decompress_ex(d, in, len, out, size, &used, NULL);
	libdeflate_free_decompressor(d);
	switch (result) {
	case LIBDEFLATE_SUCCESS: return PNG_OK;
	case LIBDEFLATE_SHORT_OUTPUT: return PNG_TOO_LITTLE;
	case LIBDEFLATE_INSUFFICIENT_SPACE: return PNG_TOO_MUCH;
	default: return PNG_DAMAGED;
	}
}

// The filters, by the letters of the PNG specification, 9.2: x is a byte of the row, a the one a pixel to the left, b the
// one above, c the one above a. A row's result stands before its source in memory, by at least a byte, so that the two
// overlap; what a step stores was always read before. The first bpp bytes of a row have no a and no c.

static inline unsigned char paeth(int a, int b, int c) {
	int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);
	return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

static inline void sub(unsigned char *to, const unsigned char *x, size_t n, size_t bpp) {
	for (size_t i = bpp; i < n; i++) to[i] = x[i] + to[i - bpp];
}

static void up(unsigned char *to, const unsigned char *x, const unsigned char *b, size_t n) {
	size_t i = 0;
#ifdef __SSE2__
	for (; i + 16 <= n; i += 16) {
		__m128i sum = _mm_add_epi8(_mm_loadu_si128((const __m128i *)(x + i)), _mm_loadu_si128((const __m128i *)(b + i)));
		_mm_storeu_si128((__m128i *)(to + i), sum);
	}
#endif
	for (; i < n; i++) to[i] = x[i] + b[i];
}

static inline void average(unsigned char *to, const unsigned char *x, const unsigned char *b, size_t n, size_t bpp) {
	for (size_t i = bpp; i < n; i++) to[i] = x[i] + (to[i - bpp] + b[i]) / 2;
}

static inline void predict(unsigned char *to, const unsigned char *x, const unsigned char *b, size_t n, size_t bpp) {
	for (size_t i = bpp; i < n; i++) to[i] = x[i] + paeth(to[i - bpp], b[i], b[i - bpp]);
}

#ifdef __SSE2__
// Pixels of 3 and 4 bytes go through a register whole. One of 3 is read, and written, with the byte after it.

static inline __m128i load(const unsigned char *p) {
	int v;
	memcpy(&v, p, 4);
	return _mm_cvtsi32_si128(v);
}

static inline void store(unsigned char *p, __m128i pixel) {
	int v = _mm_cvtsi128_si32(pixel);
	memcpy(p, &v, 4);
}

static inline void sub_pixels(unsigned char *to, const unsigned char *x, size_t n, size_t bpp) {
	__m128i a = load(to);
	for (size_t i = bpp; i < n; i += bpp) {
		a = _mm_add_epi8(load(x + i), a);
		store(to + i, a);
	}
}

static inline void average_pixels(unsigned char *to, const unsigned char *x, const unsigned char *above, size_t n, size_t bpp) {
	__m128i a = load(to), ones = _mm_set1_epi8(1);
	for (size_t i = bpp; i < n; i += bpp) {
		__m128i b = load(above + i);
		__m128i odd = _mm_and_si128(_mm_xor_si128(a, b), ones); // _mm_avg_epu8 rounds up, the filter down
		a = _mm_add_epi8(load(x + i), _mm_sub_epi8(_mm_avg_epu8(a, b), odd));
		store(to + i, a);
	}
}

static inline __m128i magnitude(__m128i v) { return _mm_max_epi16(v, _mm_sub_epi16(_mm_setzero_si128(), v)); }

static inline __m128i choose(__m128i mask, __m128i yes, __m128i no) {
	return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
}

static inline void predict_pixels(unsigned char *to, const unsigned char *x, const unsigned char *above, size_t n, size_t bpp) {
	const __m128i zero = _mm_setzero_si128();
	__m128i a = _mm_unpacklo_epi8(load(to), zero), c = _mm_unpacklo_epi8(load(above), zero);
	for (size_t i = bpp; i < n; i += bpp) {
		__m128i b = _mm_unpacklo_epi8(load(above + i), zero);
		__m128i to_a = _mm_sub_epi16(b, c), to_b = _mm_sub_epi16(a, c);
		__m128i pa = magnitude(to_a), pb = magnitude(to_b), pc = magnitude(_mm_add_epi16(to_a, to_b));
		__m128i least = _mm_min_epi16(pc, _mm_min_epi16(pa, pb));
		__m128i nearest = choose(_mm_cmpeq_epi16(least, pa), a, choose(_mm_cmpeq_epi16(least, pb), b, c));
		a = _mm_add_epi8(_mm_unpacklo_epi8(load(x + i), zero), nearest); // by bytes, so that the high ones stay zero
		store(to + i, _mm_packus_epi16(a, a));
		c = b;
	}
}
#endif

// row undoes one row's filter. bpp is a constant wherever it is called, for the compiler to see.
static inline int row(unsigned char *to, const unsigned char *x, const unsigned char *above, size_t n, size_t bpp, int filter) {
	size_t first = bpp < n ? bpp : n;
#ifdef __SSE2__
	int whole = bpp == 3 || bpp == 4;
#endif
	switch (filter) {
	case 0:
		memmove(to, x, n);
		return 1;
	case 1:
		memmove(to, x, first);
#ifdef __SSE2__
		if (whole) return sub_pixels(to, x, n, bpp), 1;
#endif
		sub(to, x, n, bpp);
		return 1;
	case 2:
		up(to, x, above, n);
		return 1;
	case 3:
		for (size_t i = 0; i < first; i++) to[i] = x[i] + above[i] / 2;
#ifdef __SSE2__
		if (whole) return average_pixels(to, x, above, n, bpp), 1;
#endif
		average(to, x, above, n, bpp);
		return 1;
	case 4:
		for (size_t i = 0; i < first; i++) to[i] = x[i] + above[i];
#ifdef __SSE2__
		if (whole) return predict_pixels(to, x, above, n, bpp), 1;
#endif
		predict(to, x, above, n, bpp);
		return 1;
	}
	return 0;
}

int png_unfilter(unsigned char *data, size_t rows, size_t stride, int bpp, const unsigned char *zeros) {
	const unsigned char *x = data, *above = zeros;
	unsigned char *to = data;
	for (; rows; rows--) {
		int filter = *x++, ok = 0;
		switch (bpp) {
		case 1: ok = row(to, x, above, stride, 1, filter); break;
		case 2: ok = row(to, x, above, stride, 2, filter); break;
		case 3: ok = row(to, x, above, stride, 3, filter); break;
		case 4: ok = row(to, x, above, stride, 4, filter); break;
		case 6: ok = row(to, x, above, stride, 6, filter); break;
		case 8: ok = row(to, x, above, stride, 8, filter); break;
		}
		if (!ok) return 0;
		above = to;
		to += stride;
		x += stride;
	}
	return 1;
}
