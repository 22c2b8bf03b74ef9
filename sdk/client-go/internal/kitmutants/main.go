// Command kitmutants plays the kit's scenarios with this library, then with mutants of it, each of which must fail at least
// one: a kit that a library without an outbox passes would say nothing. It is run in the folder of the library.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mutant says what is taken away of the library, where, and which scenarios are played without it.
type mutant struct {
	name, file, old, new string
	scenarios            []string
}

var mutants = []mutant{
	{
		"no-outbox", "outbox.go",
		"\t\town.onItsWay = false\n\t\town.notBefore = time.Time{}\n\t}\n\treturn lost\n",
		"\t\tfor len(own.items) > 0 {\n\t\t\tlost = append(lost, o.fail(own, own.items[0], inDoubt()))\n\t\t}\n\t}\n\treturn lost\n",
		[]string{"retry-same-id", "outbox"},
	},
	{
		"no-probe", "probe.go",
		"\tp.lookedAt = now\n\tif sleeping",
		"\tp.lookedAt = now\n\tif !now.IsZero() {\n\t\treturn fine\n\t}\n\tif sleeping",
		[]string{"silent-after-request", "silent-beyond-interval"},
	},
	{
		"no-jitter", "backoff.go",
		"time.Duration(random*float64(most))", "most+time.Duration(0*random)",
		[]string{"storm"},
	},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	folder, err := os.MkdirTemp("", "kit")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	driver := filepath.Join(folder, "driver")
	if err := build(driver, "-race"); err != nil {
		return err
	}
	said, err := kit(driver, nil)
	fmt.Print(said)
	if err != nil {
		return errors.New("the library does not pass the kit")
	}
	for _, m := range mutants {
		if err := play(folder, m); err != nil {
			return err
		}
	}
	return nil
}

func build(driver string, options ...string) error {
	command := exec.Command("go", append(append([]string{"build"}, options...), "-o", driver, "./internal/kitdriver")...)
	command.Stderr = os.Stderr
	return command.Run()
}

// kit plays scenarios, all unless they are named.
func kit(driver string, scenarios []string) (said string, err error) {
	options := []string{"../kit/kit.mjs", driver}
	if len(scenarios) > 0 {
		options = append(append(options, "--"), scenarios...)
	}
	output, err := exec.Command("node", options...).CombinedOutput()
	return string(output), err
}

// play builds the library with one thing changed, and fails where the kit does not notice.
func play(folder string, m mutant) error {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return err
	}
	if !strings.Contains(string(source), m.old) {
		return fmt.Errorf("the mutant %s has nothing to change in %s: mend internal/kitmutants", m.name, m.file)
	}
	changed := filepath.Join(folder, m.name+".go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		return err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return err
	}
	overlay := filepath.Join(folder, m.name+".json")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		return err
	}
	driver := filepath.Join(folder, m.name)
	if err := build(driver, "-overlay", overlay); err != nil {
		return err
	}
	_, err = kit(driver, m.scenarios)
	// The kit ends with 1 where a scenario fails, and with another number where it could not play.
	if ended := (*exec.ExitError)(nil); !errors.As(err, &ended) || ended.ExitCode() != 1 {
		return fmt.Errorf("✖ %s passes %s, which should notice it", m.name, strings.Join(m.scenarios, " and "))
	}
	fmt.Printf("✔ %s fails\n", m.name)
	return nil
}
