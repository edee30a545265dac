/** Does as the seed says: answers, ends without a word, or says that it ends. */
process.on('message', ({ seed }) => {
  const result = { events: seed, simulatedMs: 0, realMs: 0, failure: null, history: [] }
  if (seed === 1) process.exit(3)
  if (seed === 2) process.kill(process.pid, 'SIGKILL')
  if (seed === 3) {
    process.send({ ...result, failure: 'nobody handled it', isLast: true })
    // What it was doing comes to its end all the same.
    process.send(result, () => setTimeout(() => process.exit(1), 50))
  } else process.send(result, () => seed === 4 && process.exit(0))
})
