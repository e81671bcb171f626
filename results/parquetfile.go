package results

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/metadata"
	"github.com/apache/arrow/go/v15/parquet/schema"
	"github.com/klauspost/compress/zstd"
)

var parquetMagic = []byte("PAR1")

// parquetFile writes a Parquet file, row group by row group. It replaces the library's file.Writer,
// which creates a zstd encoder for every page and drops errors of row groups that it closes itself.
type parquetFile struct {
	table  Table
	out    *digest
	props  *parquet.WriterProperties
	meta   *metadata.FileMetaDataBuilder
	zstd   *zstd.Encoder
	groups int16

	pages []numberPage // of the current row group, by column; their memory is reused
	plain [][]byte     // scratch, one per core
}

// numberPage is a column chunk of numbers, encoded as one page.
type numberPage struct {
	plain      int    // bytes before compression
	compressed []byte // definition levels of a nullable column, and plain values
}

func newParquetFile(
	t Table,
	out *digest,
	root *schema.GroupNode,
	props *parquet.WriterProperties,
	meta metadata.KeyValueMetadata,
) (*parquetFile, error) {
	cores := runtime.GOMAXPROCS(0)
	encoder, err := zstd.NewWriter(nil, zstd.WithZeroFrames(true), zstd.WithEncoderConcurrency(cores),
		zstd.WithWindowSize(1<<20), // about the size of a page; the encoder keeps two windows
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(zstdLevel)))
	if err != nil {
		return nil, fmt.Errorf("results: create zstd encoder: %w", err)
	}
	if _, err := out.Write(parquetMagic); err != nil {
		return nil, fmt.Errorf("results: write Parquet file: %w", err)
	}
	return &parquetFile{
		table: t,
		out:   out,
		props: props,
		meta:  metadata.NewFileMetadataBuilder(schema.NewSchema(root), props, meta),
		zstd:  encoder,
		plain: make([][]byte, cores),
	}, nil
}

// writeRowGroup writes one row group: one column chunk per vector.
func (f *parquetFile) writeRowGroup(rows int, columns []Column, vectors []vector) error {
	f.compressNumbers(columns, vectors)
	group := f.meta.AppendRowGroup()
	size := int64(0)
	for i, c := range columns {
		chunk := group.NextColumnChunk()
		pages, err := file.NewPageWriter(
			f.out,
			compress.Codecs.Zstd,
			zstdLevel,
			chunk,
			f.groups,
			int16(i),
			memory.DefaultAllocator,
			false,
			nil,
			nil,
		)
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		var n int64
		if f.isNumbers(c) {
			n, err = f.writeNumbers(chunk, pages, rows, &vectors[i], f.pages[i])
		} else {
			n, err = f.writeChunk(chunk, pages, &vectors[i])
		}
		if f.out.err != nil { // the cause of err
			err = f.out.err
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		size += n
	}
	group.SetNumRows(rows)
	if err := group.Finish(size, f.groups); err != nil {
		return err
	}
	f.groups++
	return nil
}

// writeChunk writes a column chunk with the library's encoders and returns its size.
func (f *parquetFile) writeChunk(
	chunk *metadata.ColumnChunkMetaDataBuilder,
	pages file.PageWriter,
	v *vector,
) (int64, error) {
	w := file.NewColumnChunkWriter(chunk, zstdPages{pages, f.zstd}, f.props)
	err := errors.Join(v.write(w), w.Close())
	return w.TotalBytesWritten(), err
}

// isNumbers reports whether a column is written as one page of plain numbers. The library's encoder
// copies its buffer for every eight definition levels, which makes columns with nulls ten times
// slower than others.
func (f *parquetFile) isNumbers(c Column) bool {
	return (c.Kind == Int64 || c.Kind == Float64) && !repeats(f.table, c.Name)
}

// compressNumbers encodes the pages of all columns of numbers on all cores. A page depends on its
// column only.
func (f *parquetFile) compressNumbers(columns []Column, vectors []vector) {
	if f.pages == nil {
		f.pages = make([]numberPage, len(columns))
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for core := range f.plain {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(columns)); i = next.Add(1) - 1 {
				if !f.isNumbers(columns[i]) {
					continue
				}
				plain := f.plain[core][:0]
				if columns[i].Nullable {
					plain = appendLevels(plain, vectors[i].levels)
				}
				plain = append(plain, arrow.Int64Traits.CastToBytes(vectors[i].ints)...) // one of them is empty
				plain = append(plain, arrow.Float64Traits.CastToBytes(vectors[i].floats)...)
				f.pages[i].plain, f.pages[i].compressed = len(plain), f.zstd.EncodeAll(plain, f.pages[i].compressed[:0])
				f.plain[core] = plain
			}
		})
	}
	workers.Wait()
}

// writeNumbers writes the page of a column of int64 or double and returns its size.
func (f *parquetFile) writeNumbers(
	chunk *metadata.ColumnChunkMetaDataBuilder,
	pages file.PageWriter,
	rows int,
	v *vector,
	made numberPage,
) (int64, error) {
	statistics := metadata.NewStatistics(chunk.Descr(), memory.DefaultAllocator)
	switch s := statistics.(type) {
	case *metadata.Int64Statistics:
		s.Update(v.ints, int64(rows-len(v.ints)))
	case *metadata.Float64Statistics:
		s.Update(v.floats, int64(rows-len(v.floats)))
	}
	encoded, err := statistics.Encode()
	if err != nil {
		return 0, err
	}
	encoded.Signed = true
	chunk.SetStats(encoded)
	page := file.NewDataPageV1WithStats(memory.NewBufferBytes(made.compressed), int32(rows),
		parquet.Encodings.Plain, parquet.Encodings.RLE, parquet.Encodings.RLE, int32(made.plain), encoded)
	defer page.Release()
	n, err := pages.WriteDataPage(page)
	return n, errors.Join(err, pages.Close(false, false))
}

// appendLevels appends the length and the encoding of definition levels of 0 and 1, in Parquet's
// hybrid of run lengths and bit packing: one run if all are equal, otherwise bit-packed groups of
// eight.
func appendLevels(page []byte, levels []int16) []byte {
	start := len(page)
	page = append(page, 0, 0, 0, 0)
	ones := 0
	for _, level := range levels {
		ones += int(level)
	}
	if ones == 0 || ones == len(levels) {
		page = binary.AppendUvarint(page, uint64(len(levels))<<1)
		page = append(page, byte(min(ones, 1)))
	} else {
		groups := (len(levels) + 7) / 8
		page = binary.AppendUvarint(page, uint64(groups)<<1|1)
		bits := len(page)
		page = append(page, make([]byte, groups)...)
		for i, level := range levels {
			page[bits+i>>3] |= byte(level) << (i & 7)
		}
	}
	binary.LittleEndian.PutUint32(page[start:], uint32(len(page)-start-4))
	return page
}

// close writes the footer and checks its number of rows.
func (f *parquetFile) close(rows int64) error {
	defer f.zstd.Close()
	footer, err := f.meta.Finish()
	if err != nil {
		return err
	}
	if footer.NumRows != rows {
		return fmt.Errorf("footer: got %d rows, want %d", footer.NumRows, rows)
	}
	n, err := footer.WriteTo(f.out, nil)
	if err != nil {
		return err
	}
	_, err = f.out.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(n)), parquetMagic...))
	if f.out.err != nil { // the cause of err
		err = f.out.err
	}
	return err
}

// zstdPages is a page writer that compresses with the encoder of its file.
type zstdPages struct {
	file.PageWriter
	encoder *zstd.Encoder
}

// Compress implements file.PageWriter.
func (p zstdPages) Compress(buffer *bytes.Buffer, src []byte) []byte {
	return p.encoder.EncodeAll(src, buffer.AvailableBuffer())
}

// digest is a writer that counts and hashes what is written. It keeps its first error, because the
// Parquet library drops some.
type digest struct {
	w     io.Writer
	hash  hash.Hash
	bytes int64
	err   error
}

func newDigest(w io.Writer) *digest { return &digest{w: w, hash: sha256.New()} }

// Write implements io.Writer.
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

// Tell returns the offset of the next byte.
func (d *digest) Tell() int64 { return d.bytes }

// recoverTo turns a panic, by which the Parquet library reports some failed writes, into an error.
// The error of the write itself replaces that of the library.
func (d *digest) recoverTo(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("results: write Parquet file: %v", r)
	}
	if *err != nil && d.err != nil && !errors.Is(*err, d.err) {
		*err = fmt.Errorf("results: write Parquet file: %w", d.err)
	}
}
