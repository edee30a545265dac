package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const burst = 20

// load makes the topic, where it is missing, and writes with idempotent producers until the standard input ends, whatever becomes of the
// brokers, and prints each acknowledgement as `partition offset producer sequence`. Each producer counts its records of a partition from 0,
// and pauses after every burst of them.
func load(bootstrap, topic string, partitions, producers int, pause time.Duration) {
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	admin := kadm.NewClient(must(kgo.NewClient(seeds(bootstrap))))
	created := must(admin.CreateTopics(context.Background(), int32(partitions), -1, nil, topic))[topic].Err
	if !errors.Is(created, kerr.TopicAlreadyExists) {
		check(created)
	}
	admin.Close()
	acknowledged := &lines{out: bufio.NewWriter(os.Stdout)}
	var all sync.WaitGroup
	for producer := range producers {
		all.Go(func() { loadFrom(bootstrap, topic, partitions, producer, pause, acknowledged, stop) })
	}
	all.Wait()
}

type lines struct {
	mutex sync.Mutex
	out   *bufio.Writer
}

func (l *lines) print(format string, args ...any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	fmt.Fprintf(l.out, format, args...)
	check(l.out.Flush())
}

func loadFrom(bootstrap, topic string, partitions, producer int, pause time.Duration, acknowledged *lines, stop chan struct{}) {
	client := must(kgo.NewClient(seeds(bootstrap), kgo.DefaultProduceTopic(topic), kgo.MaxBufferedRecords(2000),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RetryTimeout(time.Minute),
		// It looks for a new leader every 5 s otherwise.
		kgo.MetadataMinAge(100*time.Millisecond), kgo.RetryBackoffFn(func(int) time.Duration {
			return 50 * time.Millisecond
		})))
	defer client.Close()
	ctx := context.Background()
	for sequence := 0; ; sequence++ {
		for partition := range partitions {
			value := fmt.Sprintf("%d %d", producer, sequence)
			record := &kgo.Record{Partition: int32(partition), Value: []byte(value)}
			client.Produce(ctx, record, func(r *kgo.Record, err error) {
				check(err)
				acknowledged.print("%d %d %s\n", r.Partition, r.Offset, r.Value)
			})
		}
		if sequence%burst != 0 {
			continue
		}
		select {
		case <-stop:
			check(client.Flush(ctx))
			return
		case <-time.After(pause):
		}
	}
}

// dump prints every record of the topic as `partition offset value`, and ends at the ends that the partitions have now.
func dump(bootstrap, topic string, ends map[int32]int64) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := must(kgo.NewClient(seeds(bootstrap), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())))
	defer client.Close()
	out := bufio.NewWriter(os.Stdout)
	for len(ends) > 0 {
		fetches := client.PollFetches(ctx)
		check(fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) {
			fmt.Fprintf(out, "%d %d %s\n", r.Partition, r.Offset, r.Value)
			if r.Offset+1 >= ends[r.Partition] {
				delete(ends, r.Partition)
			}
		})
	}
	check(out.Flush())
}

// seeds takes `host:port,…`.
func seeds(bootstrap string) kgo.Opt {
	return kgo.SeedBrokers(strings.Split(bootstrap, ",")...)
}

func number(text string) int {
	return must(strconv.Atoi(text))
}
