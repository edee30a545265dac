package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	burst      = 20
	burstPause = 4 * time.Millisecond
)

// load makes the topic and writes with idempotent producers until the standard input ends, whatever becomes of the broker, and prints each
// acknowledgement as `partition offset producer sequence`. Each producer counts its records of a partition from 0.
func load(bootstrap, topic string, partitions, producers int) {
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	admin := kadm.NewClient(must(kgo.NewClient(kgo.SeedBrokers(bootstrap))))
	check(must(admin.CreateTopics(context.Background(), int32(partitions), 1, nil, topic))[topic].Err)
	admin.Close()
	acknowledged := &lines{out: bufio.NewWriter(os.Stdout)}
	var all sync.WaitGroup
	for producer := range producers {
		all.Go(func() { loadFrom(bootstrap, topic, partitions, producer, acknowledged, stop) })
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

func loadFrom(bootstrap, topic string, partitions, producer int, acknowledged *lines, stop chan struct{}) {
	client := must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.DefaultProduceTopic(topic), kgo.MaxBufferedRecords(2000),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RetryTimeout(time.Minute), kgo.RetryBackoffFn(func(int) time.Duration {
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
		case <-time.After(burstPause):
		}
	}
}

// dump prints every record of the topic as `partition offset value`, and ends at the ends that the partitions have now.
func dump(bootstrap, topic string, ends map[int32]int64) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic),
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

func number(text string) int {
	return must(strconv.Atoi(text))
}
