import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import { frame, requestHead } from '../../../tools/socket.ts'
import { type Script, versionsOf } from '../script.ts'

const SOFTWARE = { clientSoftwareName: 'conformance', clientSoftwareVersion: '1.0' }

export async function apiVersions(script: Script): Promise<void> {
  for (const version of versionsOf(ApiKey.ApiVersions)) {
    const { apiKeys, supportedFeatures, finalizedFeatures, ...rest } = await script.ask(
      ApiKey.ApiVersions,
      version,
      SOFTWARE,
    )
    const noteEach = <T>(what: string, list: readonly T[], nameOf: (item: T) => string | number) => {
      for (const item of list) script.note(`ApiVersions v${version}: ${what} ${nameOf(item)}`, item)
    }
    noteEach('API', apiKeys, ({ apiKey }) => apiKey)
    noteEach('supported', supportedFeatures, ({ name }) => name)
    noteEach('finalized', finalizedFeatures, ({ name }) => name)
    script.note(`ApiVersions v${version}: the rest`, {
      ...rest,
      finalizedFeaturesEpoch: rest.finalizedFeaturesEpoch > -1n,
    })
  }
  for (const version of [3, 4]) {
    for (const name of ['', '-bad', 'bad-', 'b d', 'é', 'a.b-c']) {
      for (const field of ['clientSoftwareName', 'clientSoftwareVersion']) {
        const { errorCode } = await script.ask(ApiKey.ApiVersions, version, { ...SOFTWARE, [field]: name })
        script.note(`ApiVersions v${version}: ${field} '${name}'`, errorCode)
      }
    }
  }
  await script.exchange('ApiVersions v99', frame(requestHead(ApiKey.ApiVersions, 99, 7, true)))
  await script.exchange('ApiVersions v5', frame(requestHead(ApiKey.ApiVersions, 5, 7, true)))
  await script.exchange('ApiVersions v-1', frame(requestHead(ApiKey.ApiVersions, -1, 7)))
}

/** What has no handler, no schema or no sense. */
export async function unservable(script: Script): Promise<void> {
  for (const key of [-1, 4, 5, 6, 7, 58, 62, 93, 9999]) {
    await script.exchange(`API ${key} v0`, frame(requestHead(key, 0, 1)))
  }
  for (const [key, version] of [
    [0, 2],
    [0, 14],
    [1, 3],
    [1, 19],
    [3, 14],
    [3, -1],
    [2, 0],
    [19, 1],
    [32, 0],
  ] as const) {
    await script.exchange(`API ${key} v${version}`, frame(requestHead(key, version, 1)))
  }
  await script.exchange('a header of 7 bytes', frame(Buffer.from([0, 18, 0, 0, 0, 0, 0])))
  await script.exchange('an empty request', frame(Buffer.alloc(0)))
  await script.exchange('a client id that is too long', frame(Buffer.from([0, 18, 0, 0, 0, 0, 0, 1, 0x7f, 0xff, 65])))
  const listGroups = requestHead(ApiKey.ListGroups, 0, 1)
  await script.exchange('bytes behind the body', frame(Buffer.concat([listGroups, Buffer.from([1, 2, 3])])))
  await script.exchange('a body cut short', frame(Buffer.concat([requestHead(3, 1, 1), Buffer.from([0, 0])])))
}

export async function describeCluster(script: Script): Promise<void> {
  await script.inEveryVersion('plain', ApiKey.DescribeCluster, {})
  await script.inEveryVersion('with operations', ApiKey.DescribeCluster, { includeClusterAuthorizedOperations: true })
  for (const endpointType of [0, 2, 3, -1]) {
    await script.call(`endpoint type ${endpointType}`, ApiKey.DescribeCluster, 1, { endpointType })
    await script.call(`endpoint type ${endpointType}`, ApiKey.DescribeCluster, 2, {
      endpointType,
      includeFencedBrokers: true,
    })
  }
}

export async function features(script: Script): Promise<void> {
  const update = (what: string, feature: string, level: number, upgradeType: number, validateOnly = true) =>
    script.inEveryVersion(what, ApiKey.UpdateFeatures, {
      timeoutMs: 10_000,
      featureUpdates: [{ feature, maxVersionLevel: level, upgradeType, allowDowngrade: upgradeType !== 1 }],
      validateOnly,
    })
  await script.inEveryVersion('nothing', ApiKey.UpdateFeatures, { featureUpdates: [], validateOnly: true })
  await update('unknown feature', 'unheard.of', 1, 1)
  await update('unknown feature, downgrade', 'unheard.of', 1, 2)
  await update('unknown feature, removal', 'unheard.of', 0, 2)
  await update('metadata.version too high', 'metadata.version', 99, 1)
  await update('metadata.version too low', 'metadata.version', 1, 3)
  await update('metadata.version as it is', 'metadata.version', 30, 1)
  await update('group.version', 'group.version', 1, 1)
  await update('upgrade type 0', 'metadata.version', 30, 0)
  await update('upgrade type 9', 'metadata.version', 30, 9)
  await update('negative level', 'metadata.version', -1, 1)
  for (const version of [1, 2]) {
    const featureUpdates = [
      { feature: 'unheard.of', maxVersionLevel: 1, upgradeType: 1 },
      { feature: 'metadata.version', maxVersionLevel: 30, upgradeType: 1 },
    ]
    await script.call('two', ApiKey.UpdateFeatures, version, { featureUpdates, validateOnly: true })
    await script.call('metadata.version down', ApiKey.UpdateFeatures, version, {
      featureUpdates: [{ feature: 'metadata.version', maxVersionLevel: 25, upgradeType: 2 }],
      validateOnly: true,
    })
    await script.call('metadata.version down, unsafe', ApiKey.UpdateFeatures, version, {
      featureUpdates: [{ feature: 'metadata.version', maxVersionLevel: 8, upgradeType: 3 }],
      validateOnly: true,
    })
    const twice = { feature: 'metadata.version', maxVersionLevel: 30, upgradeType: 1 }
    await script.call('the same twice', ApiKey.UpdateFeatures, version, {
      featureUpdates: [twice, twice],
      validateOnly: true,
    })
  }
}

export async function brokers(script: Script): Promise<void> {
  for (const brokerId of [-1, 7, 2_147_483_647]) {
    await script.call(`broker ${brokerId}`, ApiKey.UnregisterBroker, 0, { brokerId })
  }
}

export async function coordinators(script: Script): Promise<void> {
  await script.call('the first of all', ApiKey.FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g', 'h'] })
  await script.until(ApiKey.FindCoordinator, 3, { key: 'g', keyType: 0 }, ({ errorCode }) => errorCode === 0)
  await script.inEveryVersion('group', ApiKey.FindCoordinator, { key: 'g', coordinatorKeys: ['g', 'h', 'g', ''] })
  await script.inEveryVersion('empty group', ApiKey.FindCoordinator, { key: '', coordinatorKeys: [''] })
  await script.inEveryVersion('no group', ApiKey.FindCoordinator, { key: 'g', coordinatorKeys: [] })
  for (const keyType of [-1, 3, 99]) {
    for (const version of [1, 3, 4, 6]) {
      await script.call(`key type ${keyType}`, ApiKey.FindCoordinator, version, {
        key: 'g',
        keyType,
        coordinatorKeys: ['g'],
      })
    }
  }
  for (const partitionIndex of [0, 99]) {
    for (const offset of [0n, -1n, 5n]) {
      await script.call(`internal, ${partitionIndex} at ${offset}`, ApiKey.DeleteRecords, 2, {
        topics: [{ name: '__consumer_offsets', partitions: [{ partitionIndex, offset }] }],
        timeoutMs: 1000,
      })
    }
  }
}

/** Odd requests about groups: those of a whole life are compared in `conformance/groups`. */
export async function groups(script: Script): Promise<void> {
  await script.create('grouped')
  const partition = { partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: '' }
  const commit = (what: string, groupId: string, committedMetadata = '') =>
    script.call(what, ApiKey.OffsetCommit, 9, {
      groupId,
      generationIdOrMemberEpoch: -1,
      topics: [{ name: 'grouped', partitions: [{ ...partition, committedMetadata }] }],
    })
  await commit('simple', 'simple')
  await commit('too much metadata', 'chatty', 'x'.repeat(5000))
  await script.inEveryVersion('all', ApiKey.ListGroups, {})
  await script.inEveryVersion('with operations', ApiKey.DescribeGroups, {
    groups: ['simple', 'chatty', '', 'simple'],
    includeAuthorizedOperations: true,
  })
  for (const groupId of ['', 'none', 'simple']) {
    for (const protocol of ['x', null]) {
      await script.call(`protocol ${protocol} of '${groupId}'`, ApiKey.SyncGroup, 5, {
        groupId,
        generationId: -1,
        protocolType: protocol,
        protocolName: protocol,
      })
    }
    const topics = [
      { name: 'grouped', partitions: [] },
      { name: 'none', partitions: [{ partitionIndex: 0 }] },
    ]
    await script.call(`nothing of '${groupId}'`, ApiKey.OffsetDelete, 0, { groupId, topics })
  }
}

/** Apache Kafka makes a topic for them. */
export async function shareCoordinators(script: Script): Promise<void> {
  for (const version of [4, 5, 6]) {
    await script.call('share group', ApiKey.FindCoordinator, version, {
      keyType: 2,
      coordinatorKeys: ['g', 'g:AAAAAAAAAAAAAAAAAAAACA:0'],
    })
  }
}

export async function quorum(script: Script): Promise<void> {
  const topics = [{ topicName: 'other', partitions: [{ partitionIndex: 0 }] }]
  await script.inEveryVersion('another topic', ApiKey.DescribeQuorum, { topics })
  await script.inEveryVersion('nothing', ApiKey.DescribeQuorum, { topics: [] })
  await script.inEveryVersion('another partition', ApiKey.DescribeQuorum, {
    topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 1 }] }],
  })
}
