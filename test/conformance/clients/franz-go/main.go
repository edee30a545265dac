// The conformance workload on franz-go: a plan as JSON on standard input, a report as JSON on standard output. With arguments:
// `load BOOTSTRAP TOPIC PARTITIONS PRODUCERS PAUSE_MS` writes until its input ends, `dump BOOTSTRAP TOPIC` prints what a topic holds,
// `write BOOTSTRAP TOPIC PARTITIONS RATE` writes at a rate until SIGTERM.
package main

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

type run struct {
	Topic string `json:"topic"`
	Codec string `json:"codec"`
	Acks  string `json:"acks"`
}

type plan struct {
	Bootstrap     string `json:"bootstrap"`
	Client        string `json:"client"`
	Records       int    `json:"records"`
	Partitions    int    `json:"partitions"`
	BaseTimestamp int64  `json:"baseTimestamp"`
	Runs          []run  `json:"runs"`
}

type seen struct {
	Count  int    `json:"count"`
	Digest string `json:"digest"`
}

type groupReport struct {
	First      int             `json:"first"`
	Second     int             `json:"second"`
	Partitions map[string]seen `json:"partitions"`
}

type adminReport struct {
	Created          int              `json:"created"`
	Retention        string           `json:"retention"`
	AlteredRetention string           `json:"alteredRetention"`
	Grown            int              `json:"grown"`
	Deleted          bool             `json:"deleted"`
	OffsetsAtHalf    map[string]int64 `json:"offsetsAtHalf"`
	GroupListed      bool             `json:"groupListed"`
	GroupState       string           `json:"groupState"`
	Committed        int64            `json:"committed"`
	GroupDeleted     bool             `json:"groupDeleted"`
}

type report struct {
	Runs  map[string]map[string]seen `json:"runs"`
	Group groupReport                `json:"group"`
	Admin adminReport                `json:"admin"`
}

type tally struct {
	total  int
	counts map[int32]int
	hashes map[int32]hash.Hash
}

func newTally() *tally {
	return &tally{counts: map[int32]int{}, hashes: map[int32]hash.Hash{}}
}

func (t *tally) add(r *kgo.Record) {
	if t.hashes[r.Partition] == nil {
		t.hashes[r.Partition] = sha1.New()
	}
	header := ""
	if len(r.Headers) == 1 && r.Headers[0].Key == "h" {
		header = string(r.Headers[0].Value)
	}
	fmt.Fprintf(t.hashes[r.Partition], "%s|%s|%s|%d\n", r.Key, r.Value, header, r.Timestamp.UnixMilli())
	t.counts[r.Partition]++
	t.total++
}

func (t *tally) partitions() map[string]seen {
	all := map[string]seen{}
	for partition, h := range t.hashes {
		all[strconv.Itoa(int(partition))] = seen{t.counts[partition], hex.EncodeToString(h.Sum(nil))}
	}
	return all
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}

func (p plan) client(options ...kgo.Opt) *kgo.Client {
	return must(kgo.NewClient(append(options, kgo.SeedBrokers(p.Bootstrap))...))
}

func (p plan) record(topic string, index int) *kgo.Record {
	return &kgo.Record{
		Topic:     topic,
		Partition: int32(index % p.Partitions),
		Key:       []byte(fmt.Sprintf("key-%d", index)),
		Value:     []byte(fmt.Sprintf("value-%d-%s", index, strings.Repeat("abcdefghij", index%10))),
		Headers:   []kgo.RecordHeader{{Key: "h", Value: []byte(strconv.Itoa(index))}},
		Timestamp: time.UnixMilli(p.BaseTimestamp + int64(index)),
	}
}

func producerOptions(r run) []kgo.Opt {
	codec := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}[r.Codec]
	options := []kgo.Opt{kgo.ProducerBatchCompression(codec), kgo.RecordPartitioner(kgo.ManualPartitioner())}
	switch r.Acks {
	case "0":
		return append(options, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	case "1":
		return append(options, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	}
	return options // acks=all and an idempotent producer are the defaults
}

func (p plan) produce(ctx context.Context, r run) {
	client := p.client(producerOptions(r)...)
	defer client.Close()
	for index := range p.Records {
		client.Produce(ctx, p.record(r.Topic, index), func(_ *kgo.Record, err error) { check(err) })
	}
	check(client.Flush(ctx))
}

// consume reads until `wanted` records are seen in all, and returns how many it added.
func consume(ctx context.Context, client *kgo.Client, t *tally, wanted int) int {
	before := t.total
	for t.total < wanted {
		fetches := client.PollFetches(ctx)
		check(fetches.Err0())
		fetches.EachError(func(_ string, _ int32, err error) { check(err) })
		fetches.EachRecord(t.add)
	}
	return t.total - before
}

func (p plan) consumeRun(ctx context.Context, r run) map[string]seen {
	client := p.client(kgo.ConsumeTopics(r.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	t := newTally()
	defer func() { log.Printf("%s: %d records read", r.Topic, t.total) }()
	consume(ctx, client, t, p.Records)
	return t.partitions()
}

func (p plan) member(ctx context.Context, t *tally, wanted int) int {
	client := p.client(kgo.ConsumeTopics(p.Runs[0].Topic), kgo.ConsumerGroup(p.Client+"-group"), kgo.DisableAutoCommit(),
		kgo.FetchMaxPartitionBytes(50_000), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	added := consume(ctx, client, t, wanted)
	check(client.CommitUncommittedOffsets(ctx))
	return added
}

func (p plan) group(ctx context.Context) groupReport {
	t := newTally()
	first := p.member(ctx, t, p.Records/3)
	second := p.member(ctx, t, p.Records)
	return groupReport{first, second, t.partitions()}
}

func (p plan) partitionsOf(ctx context.Context, admin *kadm.Client, topic string) int {
	return len(must(admin.ListTopics(ctx, topic))[topic].Partitions)
}

func retention(ctx context.Context, admin *kadm.Client, topic string) string {
	configs := must(must(admin.DescribeTopicConfigs(ctx, topic)).On(topic, nil))
	for _, config := range configs.Configs {
		if config.Key == "retention.ms" {
			return config.MaybeValue()
		}
	}
	return ""
}

func (p plan) admin(ctx context.Context, admin *kadm.Client) (out adminReport) {
	topic, group, value := p.Client+"-admin", p.Client+"-group", "3600000"
	check(must(admin.CreateTopics(ctx, 2, 1, map[string]*string{"retention.ms": &value}, topic))[topic].Err)
	out.Created = p.partitionsOf(ctx, admin, topic)
	out.Retention = retention(ctx, admin, topic)
	longer := "7200000"
	altered := must(admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &longer}}, topic))
	check(altered[0].Err)
	out.AlteredRetention = retention(ctx, admin, topic)
	check(must(admin.CreatePartitions(ctx, 3, topic))[topic].Err)
	out.Grown = p.partitionsOf(ctx, admin, topic)
	check(must(admin.DeleteTopics(ctx, topic))[topic].Err)
	out.Deleted = !must(admin.ListTopics(ctx)).Has(topic)

	out.OffsetsAtHalf = map[string]int64{}
	half := p.BaseTimestamp + int64(p.Records/2)
	for partition, offset := range must(admin.ListOffsetsAfterMilli(ctx, half, p.Runs[0].Topic))[p.Runs[0].Topic] {
		check(offset.Err)
		out.OffsetsAtHalf[strconv.Itoa(int(partition))] = offset.Offset
	}
	out.GroupListed = len(must(admin.ListGroups(ctx))[group].Group) > 0
	out.GroupState = must(admin.DescribeGroups(ctx, group))[group].State
	must(admin.FetchOffsets(ctx, group)).Each(func(offset kadm.OffsetResponse) { out.Committed += offset.At })
	check(must(admin.DeleteGroups(ctx, group))[group].Err)
	out.GroupDeleted = len(must(admin.ListGroups(ctx))[group].Group) == 0
	return out
}

func workload() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	var p plan
	check(json.NewDecoder(os.Stdin).Decode(&p))
	admin := kadm.NewClient(p.client())
	defer admin.Close()
	out := report{Runs: map[string]map[string]seen{}}
	for _, r := range p.Runs {
		check(must(admin.CreateTopics(ctx, int32(p.Partitions), 1, nil, r.Topic))[r.Topic].Err)
	}
	for _, r := range p.Runs {
		p.produce(ctx, r)
		out.Runs[r.Topic] = p.consumeRun(ctx, r)
	}
	out.Group = p.group(ctx)
	out.Admin = p.admin(ctx, admin)
	check(json.NewEncoder(os.Stdout).Encode(out))
}

func endsOf(bootstrap, topic string) map[int32]int64 {
	admin := kadm.NewClient(must(kgo.NewClient(seeds(bootstrap))))
	defer admin.Close()
	ends := map[int32]int64{}
	must(admin.ListEndOffsets(context.Background(), topic)).Each(func(one kadm.ListedOffset) {
		check(one.Err)
		if one.Offset > 0 {
			ends[one.Partition] = one.Offset
		}
	})
	return ends
}

func main() {
	switch args := os.Args[1:]; {
	case len(args) == 6 && args[0] == "load":
		load(args[1], args[2], number(args[3]), number(args[4]), time.Duration(number(args[5]))*time.Millisecond)
	case len(args) == 3 && args[0] == "dump":
		dump(args[1], args[2], endsOf(args[1], args[2]))
	case len(args) == 5 && args[0] == "write":
		write(args[1], args[2], number(args[3]), number(args[4]))
	default:
		workload()
	}
}
