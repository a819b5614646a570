// Reads first-boot configurations of machines, one per line, and prints the errors of Ignition's own parser.
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/coreos/ignition/v2/config"
)

func main() {
	lines, failed := 0, false
	for input := bufio.NewScanner(os.Stdin); input.Scan(); lines++ {
		_, report, err := config.Parse(input.Bytes())
		if err != nil || len(report.Entries) > 0 {
			fmt.Printf("machine %d: %v\n%s", lines+1, err, report.String())
			failed = true
		}
	}
	if failed || lines == 0 {
		fmt.Printf("%d configurations were read\n", lines)
		os.Exit(1)
	}
}
