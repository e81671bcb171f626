package results

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/metadata"
	"github.com/apache/arrow/go/v15/parquet/schema"
	"github.com/klauspost/compress/zstd"
)

var parquetMagic = []byte("PAR1")

// parquetFile writes a Parquet file, row group by row group. It stands in for the library's file.Writer, which makes a
// zstd encoder for every page, and drops the errors of row groups that it closes itself.
type parquetFile struct {
	out    *digest
	props  *parquet.WriterProperties
	meta   *metadata.FileMetaDataBuilder
	zstd   *zstd.Encoder
	groups int16
}

func newParquetFile(out *digest, root *schema.GroupNode, props *parquet.WriterProperties, meta metadata.KeyValueMetadata) (*parquetFile, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithZeroFrames(true), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(zstdLevel)))
	if err != nil {
		return nil, fmt.Errorf("results: zstd: %w", err)
	}
	if _, err := out.Write(parquetMagic); err != nil {
		return nil, fmt.Errorf("results: write: %w", err)
	}
	return &parquetFile{
		out:   out,
		props: props,
		meta:  metadata.NewFileMetadataBuilder(schema.NewSchema(root), props, meta),
		zstd:  encoder,
	}, nil
}

// writeRowGroup writes one row group of rows; write writes column i.
func (f *parquetFile) writeRowGroup(rows int, columns []Column, write func(i int, w file.ColumnChunkWriter) error) error {
	group := f.meta.AppendRowGroup()
	size := int64(0)
	for i, c := range columns {
		chunk := group.NextColumnChunk()
		pages, err := file.NewPageWriter(f.out, compress.Codecs.Zstd, zstdLevel, chunk, f.groups, int16(i), memory.DefaultAllocator, false, nil, nil)
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		w := file.NewColumnChunkWriter(chunk, zstdPages{pages, f.zstd}, f.props)
		if err := errors.Join(write(i, w), w.Close(), f.out.err); err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		size += w.TotalBytesWritten()
	}
	group.SetNumRows(rows)
	if err := group.Finish(size, f.groups); err != nil {
		return err
	}
	f.groups++
	return nil
}

// close writes the footer.
func (f *parquetFile) close() error {
	defer f.zstd.Close()
	footer, err := f.meta.Finish()
	if err != nil {
		return err
	}
	n, err := footer.WriteTo(f.out, nil)
	if err != nil {
		return err
	}
	_, err = f.out.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(n)), parquetMagic...))
	return errors.Join(err, f.out.err)
}

// zstdPages compresses pages by one encoder that lives as long as the file.
type zstdPages struct {
	file.PageWriter
	encoder *zstd.Encoder
}

func (p zstdPages) Compress(buffer *bytes.Buffer, src []byte) []byte {
	return p.encoder.EncodeAll(src, buffer.AvailableBuffer())
}

// digest counts and hashes what goes through it. It keeps the first error: the Parquet writer drops some.
type digest struct {
	w     io.Writer
	hash  hash.Hash
	bytes int64
	err   error
}

func newDigest(w io.Writer) *digest { return &digest{w: w, hash: sha256.New()} }

func (d *digest) Write(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.w.Write(p)
	d.hash.Write(p[:n])
	d.bytes += int64(n)
	d.err = err
	return n, err
}

// Tell is the offset of the next byte.
func (d *digest) Tell() int64 { return d.bytes }

// recoverTo turns a panic of the Parquet library, which is how it reports some failed writes, into an error, and prefers
// the failed write itself to what the library made of it.
func (d *digest) recoverTo(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("results: parquet: %v", r)
	}
	if *err != nil && d.err != nil && !errors.Is(*err, d.err) {
		*err = fmt.Errorf("results: write: %w", d.err)
	}
}
