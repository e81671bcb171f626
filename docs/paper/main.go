// Command paper measures the claims of the papers on the sweeps of sweep/examples, and writes the
// page docs/paper.md and its figures. It also brings the ids of result sets in other pages up to
// date.
//
// The claims are rows of one table (abstract.go, counter.go): what is claimed, the sweeps that show
// it, and a function that reads their rows and returns numbers, each with the range that is
// expected and where the expectation is from. The page is made of those rows; the tests assert
// them, and that the page and the headers of the examples say what the rows show.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("paper: ")
	root := flag.String("root", ".", "`directory` of the repository")
	sets := flag.String("sets", "", "`directory` that keeps the result sets (default a temporary one)")
	only := flag.String("only", "", "measure and draw one `claim` and print its section; the page stays as it is")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := write(ctx, *root, *sets, *only); err != nil {
		stop()
		log.Fatal(err)
	}
}

// write measures the claims and writes what is made of them.
func write(ctx context.Context, root, folder, only string) error {
	if folder == "" {
		temporary, err := os.MkdirTemp("", "paper-*")
		if err != nil {
			return fmt.Errorf("make a directory for result sets: %w", err)
		}
		defer os.RemoveAll(temporary)
		folder = temporary
	}
	shelf := newShelf(root, folder)
	started := time.Now()
	var texts []string
	for _, s := range sections() {
		texts = append(texts, s.heading())
		for _, c := range s.claims {
			if only != "" && slug(c.name) != only {
				continue
			}
			text, err := c.publish(ctx, shelf)
			if err != nil {
				return fmt.Errorf("claim %s: %w", slug(c.name), err)
			}
			texts = append(texts, text)
		}
	}
	fmt.Printf("%d sweeps solved and measured in %.1f s\n", len(shelf.sets), time.Since(started).Seconds())
	if only != "" {
		fmt.Println(texts)
		return nil
	}
	if err := shelf.removeStaleFigures(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, pageName), []byte(page(texts)), 0o644); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return updateIDs(root)
}

// publish measures a claim, draws its figures and returns its section of the page. What is out of
// its range is an error: the page shows no number that the tests refuse.
func (c claim) publish(ctx context.Context, shelf *shelf) (string, error) {
	m, err := c.run(ctx, shelf)
	if err != nil {
		return "", err
	}
	for _, n := range m.numbers {
		if !n.expected() {
			return "", fmt.Errorf("%s: got %s, want %s (%s)", n.name, n.text(n.value), n.interval(), n.from)
		}
	}
	for _, name := range c.examples {
		if err := shelf.draw(ctx, name); err != nil {
			return "", err
		}
	}
	return c.section(m)
}
