import { expect, test } from '@jest/globals'
import { metadataLogDirectory } from '../../../broker/raft/metadata-log.ts'
import { readMetaProperties, writeMetaProperties } from '../../../broker/storage/meta-properties.ts'
import type { SimDisk } from '../../fakes/disk.ts'
import { TestCluster } from './bed.ts'

const DIRS = { 'log.dirs': '/more,/data', 'metadata.log.dir': '/data' }

/** A node of these roles, of whose disk `change` makes something else between two starts. */
async function startAgain(roles: string, change: (disk: SimDisk) => void): Promise<void> {
  const cluster = new TestCluster([roles], DIRS)
  await cluster.start()
  await cluster.stop()
  const [node] = cluster.nodes
  if (node !== undefined) change(node.machine.disk)
  try {
    await cluster.start()
  } finally {
    await cluster.stop()
  }
}

test.each(['controller', 'broker,controller'])(
  'a %s does not begin a metadata log where another of its log dirs has one',
  async (roles) => {
    const move = (disk: SimDisk): void => {
      disk.makeDirectory('/more')
      disk.rename(metadataLogDirectory('/data'), metadataLogDirectory('/more'))
    }
    await expect(startAgain(roles, move)).rejects.toThrow(
      'The metadata log is in /more/__cluster_metadata-0, and the configured metadata directory is /data',
    )
  },
)

test("a controller does not take another node's metadata log for its own", async () => {
  const exchange = (disk: SimDisk): void => {
    const meta = readMetaProperties(disk, '/data')
    if (meta !== null) writeMetaProperties(disk, '/data', { ...meta, nodeId: 2 })
  }
  await expect(startAgain('controller', exchange)).rejects.toThrow('Stored node id 2 in /data is not node.id 1')
})

test('a log dir that is a copy of another is refused', async () => {
  const copy = (disk: SimDisk): void => {
    const meta = readMetaProperties(disk, '/data')
    if (meta !== null) writeMetaProperties(disk, '/more', meta)
  }
  await expect(startAgain('broker,controller', copy)).rejects.toThrow('/data and /more have the same directory.id')
})

test('a log dir that cannot be read keeps no node from its start', async () => {
  const fail = (disk: SimDisk): void => {
    disk.fault = (_operation, path) => (path.startsWith('/more') ? 'EIO' : undefined)
  }
  await startAgain('broker,controller', fail)
})
