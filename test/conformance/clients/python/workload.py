"""The conformance workload on confluent-kafka: a plan as JSON on standard input, a report as JSON on standard output."""

import hashlib
import json
import sys
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

DEADLINE_S = 30


class Tally:
    def __init__(self):
        self.total = 0
        self.counts = {}
        self.hashes = {}

    def add(self, message):
        partition = message.partition()
        digest = self.hashes.setdefault(partition, hashlib.sha1())
        headers = message.headers() or []
        header = headers[0][1] if len(headers) == 1 and headers[0][0] == 'h' else b''
        timestamp = str(message.timestamp()[1]).encode()
        digest.update(b'%s|%s|%s|%s\n' % (message.key(), message.value(), header, timestamp))
        self.counts[partition] = self.counts.get(partition, 0) + 1
        self.total += 1

    def partitions(self):
        return {str(p): {'count': self.counts[p], 'digest': self.hashes[p].hexdigest()} for p in sorted(self.counts)}


def delivered(error, _message):
    if error is not None:
        raise KafkaException(error)


def produce(plan, run):
    producer = Producer({
        'bootstrap.servers': plan['bootstrap'],
        'compression.type': run['codec'],
        'acks': run['acks'],
        'enable.idempotence': run['acks'] == 'all',
        'linger.ms': 5,
    })
    for index in range(plan['records']):
        producer.produce(
            run['topic'],
            partition=index % plan['partitions'],
            key=f'key-{index}',
            value=f'value-{index}-' + 'abcdefghij' * (index % 10),
            headers=[('h', str(index))],
            timestamp=plan['baseTimestamp'] + index,
            on_delivery=delivered,
        )
        producer.poll(0)
    if producer.flush(30) != 0:
        raise RuntimeError(f'{run["topic"]}: not everything was delivered')
    return producer


def read(consumer, tally, wanted):
    """Reads until `wanted` records are seen in all; returns how many it added."""
    before = tally.total
    deadline = time.monotonic() + DEADLINE_S
    while tally.total < wanted:
        for message in consumer.consume(500, timeout=1):
            if message.error():
                raise KafkaException(message.error())
            tally.add(message)
        if time.monotonic() > deadline:
            raise RuntimeError(f'{tally.total} of {wanted} records after {DEADLINE_S} s')
    return tally.total - before


def consume(plan, run):
    consumer = Consumer({
        'bootstrap.servers': plan['bootstrap'],
        'group.id': f'{plan["client"]}-unused',
        'enable.auto.commit': False,
        'fetch.wait.max.ms': 50,
    })
    consumer.assign([TopicPartition(run['topic'], partition, 0) for partition in range(plan['partitions'])])
    tally = Tally()
    read(consumer, tally, plan['records'])
    consumer.close()
    return tally.partitions()


def member(plan, tally, wanted):
    consumer = Consumer({
        'bootstrap.servers': plan['bootstrap'],
        'group.id': f'{plan["client"]}-group',
        'enable.auto.commit': False,
        'auto.offset.reset': 'earliest',
    })
    consumer.subscribe([plan['runs'][0]['topic']])
    added = read(consumer, tally, wanted)
    consumer.commit(asynchronous=False)
    consumer.close()
    return added


def group(plan):
    tally = Tally()
    first = member(plan, tally, plan['records'] // 3)
    second = member(plan, tally, plan['records'])
    return {'first': first, 'second': second, 'partitions': tally.partitions()}


def settle(futures):
    return {key: future.result(30) for key, future in futures.items()}


def partitions_of(admin, topic):
    return len(admin.list_topics(topic, timeout=30).topics[topic].partitions)


def retention(admin, topic):
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    return settle(admin.describe_configs([resource]))[resource]['retention.ms'].value


def administer_topic(admin, topic):
    out = {}
    settle(admin.create_topics([NewTopic(topic, 2, 1, config={'retention.ms': '3600000'})]))
    out['created'] = partitions_of(admin, topic)
    out['retention'] = retention(admin, topic)
    entry = ConfigEntry('retention.ms', '7200000', incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    settle(admin.incremental_alter_configs([resource]))
    out['alteredRetention'] = retention(admin, topic)
    settle(admin.create_partitions([NewPartitions(topic, 5)]))
    out['grown'] = partitions_of(admin, topic)
    settle(admin.delete_topics([topic]))
    out['deleted'] = topic not in admin.list_topics(timeout=30).topics
    return out


def listed(admin, name):
    return any(one.group_id == name for one in admin.list_consumer_groups().result(30).valid)


def administer_group(admin, plan):
    topic, name = plan['runs'][0]['topic'], f'{plan["client"]}-group'
    spec = OffsetSpec.for_timestamp(plan['baseTimestamp'] + plan['records'] // 2)
    offsets = settle(admin.list_offsets({TopicPartition(topic, p): spec for p in range(plan['partitions'])}))
    out = {'offsetsAtHalf': {str(key.partition): value.offset for key, value in offsets.items()}}
    out['groupListed'] = listed(admin, name)
    out['groupState'] = settle(admin.describe_consumer_groups([name]))[name].state.name.title()
    committed = settle(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(name)]))[name]
    out['committed'] = sum(one.offset for one in committed.topic_partitions)
    settle(admin.delete_consumer_groups([name]))
    out['groupDeleted'] = not listed(admin, name)
    return out


def main():
    plan = json.load(sys.stdin)
    admin = AdminClient({'bootstrap.servers': plan['bootstrap']})
    runs = {}
    settle(admin.create_topics([NewTopic(run['topic'], plan['partitions'], 1) for run in plan['runs']]))
    for run in plan['runs']:
        # With acks=0 a connection that is dropped with an answer unread is reset, and takes with it what is still under way.
        producer = produce(plan, run)
        runs[run['topic']] = consume(plan, run)
        del producer
    out = {'runs': runs, 'group': group(plan)}
    out['admin'] = administer_topic(admin, f'{plan["client"]}-admin') | administer_group(admin, plan)
    json.dump(out, sys.stdout)


main()
