package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	recordBytes  = 1024
	tellEvery    = time.Second
	bucketWidth  = 1.05
	retryBackoff = 10 * time.Millisecond
)

// paced writes to a topic at a rate, and tells of it.
type paced struct {
	mutex        sync.Mutex
	acknowledged []int
	latencies    map[int]int
	elapsed      map[int]int
	steal        steal
}

// What is said each second: WriterLine of test/e2e/client/lines.ts.
type writerLine struct {
	AtMs         float64     `json:"atMs"`
	Acknowledged []int       `json:"acknowledged"`
	Latencies    map[int]int `json:"latencies"`
	Elapsed      map[int]int `json:"elapsed"`
	StolenMs     int         `json:"stolenMs"`
	IsLast       bool        `json:"isLast"`
}

// write sends `rate` records a second to each partition until the process is told to end (SIGTERM), idempotent, acks=all, for as long as it
// takes: `partition sequence dueMs` and dots. Latencies count from when a record was due. Prints a line each second.
func write(bootstrap, topic string, partitions, rate int) {
	client := must(kgo.NewClient(seeds(bootstrap), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()),
		// As soon as Kafka's own producer: it looks for a new leader after some seconds otherwise.
		kgo.MetadataMinAge(retryBackoff), kgo.RetryBackoffFn(func(int) time.Duration { return retryBackoff })))
	p := &paced{acknowledged: make([]int, partitions), latencies: map[int]int{}, elapsed: map[int]int{}}
	end, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	p.steal.told()
	p.steal.told()
	go p.watch()
	go p.tellNowAndThen(end)
	var all sync.WaitGroup
	for partition := range partitions {
		all.Go(func() { p.writeTo(end, client, partition, rate) })
	}
	all.Wait()
	check(client.Flush(context.Background()))
	p.tell(true)
}

func (p *paced) writeTo(end context.Context, client *kgo.Client, partition, rate int) {
	period := time.Second / time.Duration(rate)
	began := time.Now().Add(time.Duration(partition) * period / time.Duration(len(p.acknowledged)))
	for sequence := 0; ; sequence++ {
		due := began.Add(time.Duration(sequence) * period)
		select {
		case <-end.Done():
			return
		case <-time.After(time.Until(due)):
		}
		value := fmt.Sprintf("%d %d %f ", partition, sequence, unixMs(due))
		value += strings.Repeat(".", recordBytes-len(value))
		record := &kgo.Record{Partition: int32(partition), Value: []byte(value)}
		client.Produce(context.Background(), record, func(_ *kgo.Record, err error) {
			check(err)
			p.acknowledge(partition, due, time.Now())
		})
	}
}

func (p *paced) acknowledge(partition int, due, at time.Time) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.steal.sample(at)
	ms := at.Sub(due).Seconds() * 1000
	p.acknowledged[partition]++
	p.elapsed[bucketOf(ms)]++
	p.latencies[bucketOf(ms-float64(p.steal.between(due, at)))]++
}

// As Histogram of test/e2e/client/histogram.ts.
func bucketOf(ms float64) int {
	return int(math.Ceil(math.Log(max(ms, 0.1)) / math.Log(bucketWidth)))
}

func (p *paced) watch() {
	for range time.Tick(sampleEvery) {
		p.mutex.Lock()
		p.steal.sample(time.Now())
		p.mutex.Unlock()
	}
}

func (p *paced) tellNowAndThen(end context.Context) {
	for {
		select {
		case <-end.Done():
			return
		case <-time.After(tellEvery):
			p.tell(false)
		}
	}
}

func (p *paced) tell(isLast bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	line := writerLine{unixMs(time.Now()), p.acknowledged, p.latencies, p.elapsed, p.steal.told(), isLast}
	fmt.Println(string(must(json.Marshal(line))))
	p.latencies, p.elapsed = map[int]int{}, map[int]int{}
}

func unixMs(at time.Time) float64 {
	return float64(at.UnixMicro()) / 1000
}
