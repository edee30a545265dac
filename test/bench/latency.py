"""Sends records at a steady rate with librdkafka and prints how long its requests took, as JSON, by its own measure.

Arguments: bootstrap, topic, record size in bytes, records a second, seconds, which are spent a second time to warm up.
Output: {"p50_ms": ..., "p99_ms": ...}, each of the broker with the largest. A record that is not acknowledged ends it with an error.
"""

import json
import sys
import time

from confluent_kafka import Producer


def main():
    bootstrap, topic, size, rate, seconds = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    windows = []
    errors = []
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 0,
            "statistics.interval.ms": seconds * 1000,
            "stats_cb": lambda text: windows.append(json.loads(text)),
        }
    )

    def delivered(error, _message):
        if error is not None:
            errors.append(str(error))

    value = b"x" * size
    began = time.perf_counter()
    sent = 0
    while len(windows) < 2:
        # Not by polling: that would take a core from the brokers.
        time.sleep(max(0, began + sent / rate - time.perf_counter()))
        producer.produce(topic, value, on_delivery=delivered)
        producer.poll(0)
        sent += 1
    left = producer.flush(60)
    if errors or left > 0:
        sys.exit(f"{left} records were not acknowledged, {len(errors)} failed: {errors[:1]}")
    round_trips = [broker["rtt"] for broker in windows[1]["brokers"].values() if broker["rtt"]["cnt"] > seconds]
    print(json.dumps({f"{name}_ms": max(times[name] for times in round_trips) / 1000 for name in ("p50", "p99")}))


main()
