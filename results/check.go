package results

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// Check reads a written file back and compares it with what Merge returned: size, SHA-256, and the
// footer's table and number of rows. Only files that pass may be published: the Parquet library can
// leave a well-formed file with fewer rows.
func Check(r io.ReaderAt, size int64, want File) error {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(r, 0, size)); err != nil {
		return fmt.Errorf("results: read back %s: %w", want.Table, err)
	}
	if size != want.Bytes || [32]byte(hash.Sum(nil)) != want.SHA256 {
		return fmt.Errorf("results: read back %s: got %d bytes with SHA-256 %x, want %d with %x",
			want.Table, size, hash.Sum(nil), want.Bytes, want.SHA256)
	}
	f, err := NewReader(r, size)
	if err != nil {
		return err
	}
	if f.table != want.Table || f.Rows() != want.Rows {
		return fmt.Errorf("results: read back %s: got %d rows of %s, want %d", want.Table, f.Rows(), f.table, want.Rows)
	}
	return nil
}
