import type { Infer, InferInput } from '../schema/message.ts'
import { ApiKey } from './api-key.ts'
import type { Api } from './api.ts'
import { addOffsetsToTxnApi } from './messages/add-offsets-to-txn.ts'
import { addPartitionsToTxnApi } from './messages/add-partitions-to-txn.ts'
import { addRaftVoterApi } from './messages/add-raft-voter.ts'
import { allocateProducerIdsApi } from './messages/allocate-producer-ids.ts'
import { alterClientQuotasApi } from './messages/alter-client-quotas.ts'
import { alterConfigsApi } from './messages/alter-configs.ts'
import { alterPartitionReassignmentsApi } from './messages/alter-partition-reassignments.ts'
import { alterPartitionApi } from './messages/alter-partition.ts'
import { alterReplicaLogDirsApi } from './messages/alter-replica-log-dirs.ts'
import { alterShareGroupOffsetsApi } from './messages/alter-share-group-offsets.ts'
import { alterUserScramCredentialsApi } from './messages/alter-user-scram-credentials.ts'
import { apiVersionsApi } from './messages/api-versions.ts'
import { assignReplicasToDirsApi } from './messages/assign-replicas-to-dirs.ts'
import { beginQuorumEpochApi } from './messages/begin-quorum-epoch.ts'
import { brokerHeartbeatApi } from './messages/broker-heartbeat.ts'
import { brokerRegistrationApi } from './messages/broker-registration.ts'
import { consumerGroupDescribeApi } from './messages/consumer-group-describe.ts'
import { consumerGroupHeartbeatApi } from './messages/consumer-group-heartbeat.ts'
import { controllerRegistrationApi } from './messages/controller-registration.ts'
import { createAclsApi } from './messages/create-acls.ts'
import { createDelegationTokenApi } from './messages/create-delegation-token.ts'
import { createPartitionsApi } from './messages/create-partitions.ts'
import { createTopicsApi } from './messages/create-topics.ts'
import { deleteAclsApi } from './messages/delete-acls.ts'
import { deleteGroupsApi } from './messages/delete-groups.ts'
import { deleteRecordsApi } from './messages/delete-records.ts'
import { deleteShareGroupOffsetsApi } from './messages/delete-share-group-offsets.ts'
import { deleteShareGroupStateApi } from './messages/delete-share-group-state.ts'
import { deleteTopicsApi } from './messages/delete-topics.ts'
import { describeAclsApi } from './messages/describe-acls.ts'
import { describeClientQuotasApi } from './messages/describe-client-quotas.ts'
import { describeClusterApi } from './messages/describe-cluster.ts'
import { describeConfigsApi } from './messages/describe-configs.ts'
import { describeDelegationTokenApi } from './messages/describe-delegation-token.ts'
import { describeGroupsApi } from './messages/describe-groups.ts'
import { describeLogDirsApi } from './messages/describe-log-dirs.ts'
import { describeProducersApi } from './messages/describe-producers.ts'
import { describeQuorumApi } from './messages/describe-quorum.ts'
import { describeShareGroupOffsetsApi } from './messages/describe-share-group-offsets.ts'
import { describeTopicPartitionsApi } from './messages/describe-topic-partitions.ts'
import { describeTransactionsApi } from './messages/describe-transactions.ts'
import { describeUserScramCredentialsApi } from './messages/describe-user-scram-credentials.ts'
import { electLeadersApi } from './messages/elect-leaders.ts'
import { endQuorumEpochApi } from './messages/end-quorum-epoch.ts'
import { endTxnApi } from './messages/end-txn.ts'
import { envelopeApi } from './messages/envelope.ts'
import { expireDelegationTokenApi } from './messages/expire-delegation-token.ts'
import { fetchSnapshotApi } from './messages/fetch-snapshot.ts'
import { fetchApi } from './messages/fetch.ts'
import { findCoordinatorApi } from './messages/find-coordinator.ts'
import { getTelemetrySubscriptionsApi } from './messages/get-telemetry-subscriptions.ts'
import { heartbeatApi } from './messages/heartbeat.ts'
import { incrementalAlterConfigsApi } from './messages/incremental-alter-configs.ts'
import { initProducerIdApi } from './messages/init-producer-id.ts'
import { initializeShareGroupStateApi } from './messages/initialize-share-group-state.ts'
import { joinGroupApi } from './messages/join-group.ts'
import { leaveGroupApi } from './messages/leave-group.ts'
import { listConfigResourcesApi } from './messages/list-config-resources.ts'
import { listGroupsApi } from './messages/list-groups.ts'
import { listOffsetsApi } from './messages/list-offsets.ts'
import { listPartitionReassignmentsApi } from './messages/list-partition-reassignments.ts'
import { listTransactionsApi } from './messages/list-transactions.ts'
import { metadataApi } from './messages/metadata.ts'
import { offsetCommitApi } from './messages/offset-commit.ts'
import { offsetDeleteApi } from './messages/offset-delete.ts'
import { offsetFetchApi } from './messages/offset-fetch.ts'
import { offsetForLeaderEpochApi } from './messages/offset-for-leader-epoch.ts'
import { produceApi } from './messages/produce.ts'
import { pushTelemetryApi } from './messages/push-telemetry.ts'
import { readShareGroupStateSummaryApi } from './messages/read-share-group-state-summary.ts'
import { readShareGroupStateApi } from './messages/read-share-group-state.ts'
import { removeRaftVoterApi } from './messages/remove-raft-voter.ts'
import { renewDelegationTokenApi } from './messages/renew-delegation-token.ts'
import { saslAuthenticateApi } from './messages/sasl-authenticate.ts'
import { saslHandshakeApi } from './messages/sasl-handshake.ts'
import { shareAcknowledgeApi } from './messages/share-acknowledge.ts'
import { shareFetchApi } from './messages/share-fetch.ts'
import { shareGroupDescribeApi } from './messages/share-group-describe.ts'
import { shareGroupHeartbeatApi } from './messages/share-group-heartbeat.ts'
import { streamsGroupDescribeApi } from './messages/streams-group-describe.ts'
import { streamsGroupHeartbeatApi } from './messages/streams-group-heartbeat.ts'
import { syncGroupApi } from './messages/sync-group.ts'
import { txnOffsetCommitApi } from './messages/txn-offset-commit.ts'
import { unregisterBrokerApi } from './messages/unregister-broker.ts'
import { updateFeaturesApi } from './messages/update-features.ts'
import { updateRaftVoterApi } from './messages/update-raft-voter.ts'
import { voteApi } from './messages/vote.ts'
import { writeShareGroupStateApi } from './messages/write-share-group-state.ts'
import { writeTxnMarkersApi } from './messages/write-txn-markers.ts'

const DECLARED = {
  [ApiKey.Produce]: produceApi,
  [ApiKey.Fetch]: fetchApi,
  [ApiKey.ListOffsets]: listOffsetsApi,
  [ApiKey.Metadata]: metadataApi,
  [ApiKey.OffsetCommit]: offsetCommitApi,
  [ApiKey.OffsetFetch]: offsetFetchApi,
  [ApiKey.FindCoordinator]: findCoordinatorApi,
  [ApiKey.JoinGroup]: joinGroupApi,
  [ApiKey.Heartbeat]: heartbeatApi,
  [ApiKey.LeaveGroup]: leaveGroupApi,
  [ApiKey.SyncGroup]: syncGroupApi,
  [ApiKey.DescribeGroups]: describeGroupsApi,
  [ApiKey.ListGroups]: listGroupsApi,
  [ApiKey.SaslHandshake]: saslHandshakeApi,
  [ApiKey.ApiVersions]: apiVersionsApi,
  [ApiKey.CreateTopics]: createTopicsApi,
  [ApiKey.DeleteTopics]: deleteTopicsApi,
  [ApiKey.DeleteRecords]: deleteRecordsApi,
  [ApiKey.InitProducerId]: initProducerIdApi,
  [ApiKey.OffsetForLeaderEpoch]: offsetForLeaderEpochApi,
  [ApiKey.AddPartitionsToTxn]: addPartitionsToTxnApi,
  [ApiKey.AddOffsetsToTxn]: addOffsetsToTxnApi,
  [ApiKey.EndTxn]: endTxnApi,
  [ApiKey.WriteTxnMarkers]: writeTxnMarkersApi,
  [ApiKey.TxnOffsetCommit]: txnOffsetCommitApi,
  [ApiKey.DescribeAcls]: describeAclsApi,
  [ApiKey.CreateAcls]: createAclsApi,
  [ApiKey.DeleteAcls]: deleteAclsApi,
  [ApiKey.DescribeConfigs]: describeConfigsApi,
  [ApiKey.AlterConfigs]: alterConfigsApi,
  [ApiKey.AlterReplicaLogDirs]: alterReplicaLogDirsApi,
  [ApiKey.DescribeLogDirs]: describeLogDirsApi,
  [ApiKey.SaslAuthenticate]: saslAuthenticateApi,
  [ApiKey.CreatePartitions]: createPartitionsApi,
  [ApiKey.CreateDelegationToken]: createDelegationTokenApi,
  [ApiKey.RenewDelegationToken]: renewDelegationTokenApi,
  [ApiKey.ExpireDelegationToken]: expireDelegationTokenApi,
  [ApiKey.DescribeDelegationToken]: describeDelegationTokenApi,
  [ApiKey.DeleteGroups]: deleteGroupsApi,
  [ApiKey.ElectLeaders]: electLeadersApi,
  [ApiKey.IncrementalAlterConfigs]: incrementalAlterConfigsApi,
  [ApiKey.AlterPartitionReassignments]: alterPartitionReassignmentsApi,
  [ApiKey.ListPartitionReassignments]: listPartitionReassignmentsApi,
  [ApiKey.OffsetDelete]: offsetDeleteApi,
  [ApiKey.DescribeClientQuotas]: describeClientQuotasApi,
  [ApiKey.AlterClientQuotas]: alterClientQuotasApi,
  [ApiKey.DescribeUserScramCredentials]: describeUserScramCredentialsApi,
  [ApiKey.AlterUserScramCredentials]: alterUserScramCredentialsApi,
  [ApiKey.Vote]: voteApi,
  [ApiKey.BeginQuorumEpoch]: beginQuorumEpochApi,
  [ApiKey.EndQuorumEpoch]: endQuorumEpochApi,
  [ApiKey.DescribeQuorum]: describeQuorumApi,
  [ApiKey.AlterPartition]: alterPartitionApi,
  [ApiKey.UpdateFeatures]: updateFeaturesApi,
  [ApiKey.Envelope]: envelopeApi,
  [ApiKey.FetchSnapshot]: fetchSnapshotApi,
  [ApiKey.DescribeCluster]: describeClusterApi,
  [ApiKey.DescribeProducers]: describeProducersApi,
  [ApiKey.BrokerRegistration]: brokerRegistrationApi,
  [ApiKey.BrokerHeartbeat]: brokerHeartbeatApi,
  [ApiKey.UnregisterBroker]: unregisterBrokerApi,
  [ApiKey.DescribeTransactions]: describeTransactionsApi,
  [ApiKey.ListTransactions]: listTransactionsApi,
  [ApiKey.AllocateProducerIds]: allocateProducerIdsApi,
  [ApiKey.ConsumerGroupHeartbeat]: consumerGroupHeartbeatApi,
  [ApiKey.ConsumerGroupDescribe]: consumerGroupDescribeApi,
  [ApiKey.ControllerRegistration]: controllerRegistrationApi,
  [ApiKey.GetTelemetrySubscriptions]: getTelemetrySubscriptionsApi,
  [ApiKey.PushTelemetry]: pushTelemetryApi,
  [ApiKey.AssignReplicasToDirs]: assignReplicasToDirsApi,
  [ApiKey.ListConfigResources]: listConfigResourcesApi,
  [ApiKey.DescribeTopicPartitions]: describeTopicPartitionsApi,
  [ApiKey.ShareGroupHeartbeat]: shareGroupHeartbeatApi,
  [ApiKey.ShareGroupDescribe]: shareGroupDescribeApi,
  [ApiKey.ShareFetch]: shareFetchApi,
  [ApiKey.ShareAcknowledge]: shareAcknowledgeApi,
  [ApiKey.AddRaftVoter]: addRaftVoterApi,
  [ApiKey.RemoveRaftVoter]: removeRaftVoterApi,
  [ApiKey.UpdateRaftVoter]: updateRaftVoterApi,
  [ApiKey.InitializeShareGroupState]: initializeShareGroupStateApi,
  [ApiKey.ReadShareGroupState]: readShareGroupStateApi,
  [ApiKey.WriteShareGroupState]: writeShareGroupStateApi,
  [ApiKey.DeleteShareGroupState]: deleteShareGroupStateApi,
  [ApiKey.ReadShareGroupStateSummary]: readShareGroupStateSummaryApi,
  [ApiKey.StreamsGroupHeartbeat]: streamsGroupHeartbeatApi,
  [ApiKey.StreamsGroupDescribe]: streamsGroupDescribeApi,
  [ApiKey.DescribeShareGroupOffsets]: describeShareGroupOffsetsApi,
  [ApiKey.AlterShareGroupOffsets]: alterShareGroupOffsetsApi,
  [ApiKey.DeleteShareGroupOffsets]: deleteShareGroupOffsetsApi,
} as const

type Declared = typeof DECLARED
type RequestOuts = { [K in ApiKey]: Infer<Declared[K]['request']> }
type RequestIns = { [K in ApiKey]: InferInput<Declared[K]['request']> }
type ResponseOuts = { [K in ApiKey]: Infer<Declared[K]['response']> }
type ResponseIns = { [K in ApiKey]: InferInput<Declared[K]['response']> }

/** What decoding a request of API `K` gives. */
export type RequestOf<K extends ApiKey> = RequestOuts[K]
/** What decoding a response of API `K` gives. */
export type ResponseOf<K extends ApiKey> = ResponseOuts[K]
/** What encoding a request takes: fields may be left out. */
export type RequestInputOf<K extends ApiKey> = RequestIns[K]
/** What encoding a response takes: fields may be left out. */
export type ResponseInputOf<K extends ApiKey> = ResponseIns[K]

/** Every API that a broker or a controller of 4.3.1 serves. */
export const APIS: {
  readonly [K in ApiKey]: Api<RequestOuts[K], RequestIns[K], ResponseOuts[K], ResponseIns[K]>
} = DECLARED

const BY_KEY: ReadonlyMap<number, Api> = new Map(Object.values(APIS).map((entry) => [entry.key, entry]))

/** Whether a key off the wire is that of an API. */
export function isApiKey(key: number): key is ApiKey {
  return BY_KEY.has(key)
}

/** The API with a key off the wire; undefined where there is none. */
export function apiOf(key: number): Api | undefined {
  return BY_KEY.get(key)
}
