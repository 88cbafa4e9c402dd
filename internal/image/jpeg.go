package image

/*
#cgo CFLAGS: -O2
#cgo LDFLAGS: -ljpeg
#include "jpeg.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

func decodeJPEG(data []byte, l Limits) (*Image, error) {
	in, length := (*C.uchar)(unsafe.SliceData(data)), C.size_t(len(data))
	var report C.struct_jpeg_report
	if status := C.jpeg_size(in, length, &report); status != C.JPEG_OK {
		return nil, jpegError(status, &report)
	}
	m := &Image{W: int(report.width), H: int(report.height), step: int(report.components), Orientation: jpegOrientation(data)}
	if err := l.check(m.W, m.H); err != nil {
		return nil, fmt.Errorf("JPEG: %w", err)
	}
	switch m.step {
	case 1:
		m.Mode = Grey8
	case 3:
		m.Mode = TrueColor
	case 4:
		m.Mode = CMYK
	default:
		return nil, fmt.Errorf("JPEG: %w: %d colour components; 1, 3 or 4 are read, convert it to PNG", ErrUnsupported, m.step)
	}
	m.pix = make([]byte, m.W*m.H*m.step)
	status := C.jpeg_pixels(in, length, (*C.uchar)(unsafe.SliceData(m.pix)), &report)
	if status != C.JPEG_OK {
		return nil, jpegError(status, &report)
	}
	if m.Mode == CMYK {
		for i, v := range m.pix {
			m.pix[i] = 255 - v
		}
	}
	return m, nil
}

func jpegError(status C.int, report *C.struct_jpeg_report) error {
	if status == C.JPEG_TRUNCATED {
		return fmt.Errorf("JPEG: %w: the file ends before the picture does", ErrTruncated)
	}
	message := C.GoString(&report.message[0])
	if strings.HasPrefix(message, "Unsupported") { // a coding or a depth that libjpeg lacks
		return fmt.Errorf("JPEG: %w: %s; convert it to PNG", ErrUnsupported, message)
	}
	return fmt.Errorf("JPEG: %w: %s", ErrDamaged, message)
}
