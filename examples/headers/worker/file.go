package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
)

// errBinary is what read returns for a file that is not text.
var errBinary = errors.New("binary: it has a NUL byte")

// read returns the content of the file at path. It does not wait for a writer of a FIFO, and stops
// at the first NUL byte.
func read(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	var text bytes.Buffer
	chunk := make([]byte, 64<<10)
	for {
		n, err := file.Read(chunk)
		if bytes.IndexByte(chunk[:n], 0) >= 0 {
			return nil, errBinary
		}
		text.Write(chunk[:n])
		if err == io.EOF {
			return text.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// reason is an error's text without the path, which the result already has.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}
