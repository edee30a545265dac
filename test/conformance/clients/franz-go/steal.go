package main

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

const (
	sampleEvery = 20 * time.Millisecond
	// A latency that is longer than a minute is counted as it is.
	keptSamples = 3000
	msPerTick   = 10
	// Of a line of /proc/stat: name, user, nice, system, idle, iowait, irq, softirq, steal.
	stealColumn = 8
)

// steal knows how long the host of a virtual machine let its processors wait while they had something to do (proc(5)), all of them together.
type steal struct {
	samples []sample
	toldMs  int
}

type sample struct {
	at       time.Time
	stolenMs int
}

func (s *steal) sample(at time.Time) {
	text := must(os.ReadFile("/proc/stat"))
	all, _, _ := bytes.Cut(text, []byte("\n"))
	ticks := must(strconv.Atoi(string(bytes.Fields(all)[stealColumn])))
	s.samples = append(s.samples, sample{at, ticks * msPerTick})
	if len(s.samples) > 2*keptSamples {
		s.samples = append([]sample{}, s.samples[keptSamples:]...)
	}
}

// between gives the ms that were stolen between two times: what came since the last look before `from` counts.
func (s *steal) between(from, to time.Time) int {
	return s.at(to) - s.at(from)
}

func (s *steal) at(time time.Time) int {
	for i := len(s.samples) - 1; i >= 0; i-- {
		if !s.samples[i].at.After(time) {
			return s.samples[i].stolenMs
		}
	}
	return s.samples[0].stolenMs
}

// told gives what was stolen since it was called before.
func (s *steal) told() int {
	s.sample(time.Now())
	before := s.toldMs
	s.toldMs = s.samples[len(s.samples)-1].stolenMs
	return s.toldMs - before
}
