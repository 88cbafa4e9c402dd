#ifndef CYBORG_JPEG_H
#define CYBORG_JPEG_H

#include <stddef.h>

enum { JPEG_OK, JPEG_DAMAGED, JPEG_TRUNCATED };

struct jpeg_report {
	int width, height, components;
	char message[256];
};

// jpeg_size reads the header of a JPEG file.
int jpeg_size(const unsigned char *data, size_t len, struct jpeg_report *report);

// jpeg_pixels decodes a JPEG file of 1, 3 or 4 components into pixels, which has room for width*height*components bytes:
// grey, RGB or CMYK as stored.
int jpeg_pixels(const unsigned char *data, size_t len, unsigned char *pixels, struct jpeg_report *report);

#endif
