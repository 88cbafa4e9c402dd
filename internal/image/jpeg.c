#include "jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// A failure inside libjpeg jumps back to the call here that began it. No frame of Go lies between the two.
struct errors {
	struct jpeg_error_mgr base;
	jmp_buf back;
	int truncated;
	struct jpeg_report *report;
};

static void fail(j_common_ptr c) {
	struct errors *e = (struct errors *)c->err;
	char message[JMSG_LENGTH_MAX];
	(*c->err->format_message)(c, message);
	snprintf(e->report->message, sizeof e->report->message, "%s", message);
	longjmp(e->back, 1);
}

// Warnings do not stop libjpeg: it fills what is missing with grey. Only those that mean missing data matter here; the
// others (stray bytes, odd markers) are forgiven, as Pillow forgives them.
static void warn(j_common_ptr c, int level) {
	struct errors *e = (struct errors *)c->err;
	if (level < 0 && (c->err->msg_code == JWRN_JPEG_EOF || c->err->msg_code == JWRN_HIT_MARKER)) e->truncated = 1;
}

static void begin(struct jpeg_decompress_struct *c, struct errors *e, struct jpeg_report *report) {
	c->err = jpeg_std_error(&e->base);
	e->base.error_exit = fail;
	e->base.emit_message = warn;
	e->truncated = 0;
	e->report = report;
}

static int end(struct jpeg_decompress_struct *c, struct errors *e, int status) {
	jpeg_destroy_decompress(c);
	return e->truncated ? JPEG_TRUNCATED : status;
}

static void read_header(struct jpeg_decompress_struct *c, const unsigned char *data, size_t len, struct jpeg_report *report) {
	jpeg_create_decompress(c);
	jpeg_mem_src(c, data, len);
	jpeg_read_header(c, TRUE);
	report->width = c->image_width;
	report->height = c->image_height;
	report->components = c->num_components;
}

int jpeg_size(const unsigned char *data, size_t len, struct jpeg_report *report) {
	struct jpeg_decompress_struct c;
	struct errors e;
	memset(&c, 0, sizeof c);
	begin(&c, &e, report);
	if (setjmp(e.back)) return end(&c, &e, JPEG_DAMAGED);
	read_header(&c, data, len, report);
	return end(&c, &e, JPEG_OK);
}

int jpeg_pixels(const unsigned char *data, size_t len, unsigned char *pixels, struct jpeg_report *report) {
	struct jpeg_decompress_struct c;
	struct errors e;
	memset(&c, 0, sizeof c);
	begin(&c, &e, report);
	if (setjmp(e.back)) return end(&c, &e, JPEG_DAMAGED);
	read_header(&c, data, len, report);
	// Pillow's choices are libjpeg's defaults: accurate integer DCT, fancy upsampling, block smoothing.
	c.out_color_space = c.num_components == 1 ? JCS_GRAYSCALE : c.num_components == 3 ? JCS_RGB : JCS_CMYK;
	jpeg_start_decompress(&c);
	size_t stride = (size_t)c.output_width * c.output_components;
	while (c.output_scanline < c.output_height) {
		JSAMPROW rows[16];
		for (int i = 0; i < 16; i++) {
			size_t y = c.output_scanline + i;
			rows[i] = pixels + (y < c.output_height ? y : c.output_height - 1) * stride;
		}
		JDIMENSION left = c.output_height - c.output_scanline;
		jpeg_read_scanlines(&c, rows, left < 16 ? left : 16);
	}
	jpeg_finish_decompress(&c);
	return end(&c, &e, JPEG_OK);
}
