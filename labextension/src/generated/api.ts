// Generated from ehpc_jupyter/models by tools/generate_types.py; do not edit.

/** Ask what the cluster would say to a job, without submitting it. */
export interface CheckJobRequest {
  /** The cluster's name; `local` is this machine. */
  ClusterId: string;
  /** The job's name; made from its command if empty. */
  JobName?: string;
  /** The job's specification. */
  JobSpec: JobSpec;
  /**
   * Any text of up to 64 characters that makes the request unique: asking twice with it
   * gives one job.
   */
  ClientToken?: string;
}

/**
 * What would be submitted, and what the cluster says to it. A request that is wrong in
 * itself is answered by InvalidParams.
 */
export interface CheckJobResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  /** Whether the cluster would take the job. */
  Valid: boolean;
  /** What the cluster's checks found, each with its field. */
  Problems?: ProblemInfo[];
  /** The scheduler's own words, where it said any. */
  Message?: string;
  /** The script that would be handed to the scheduler. */
  Script: string;
  /** The command that would submit it. */
  Command: string;
  /** When the scheduler would start it if it were submitted now, UNIX seconds. */
  StartTime?: number;
  /** Where it would start it. */
  NodeList?: string;
}

/** A cluster. */
export interface ClusterInfo {
  ClusterId: string;
  ClusterName: string;
  ClusterDescription?: string;
  /**
   * running: it answered; exception: it did not; pending: nobody asked yet; stopped:
   * disabled in the configuration.
   */
  ClusterStatus?: 'running' | 'exception' | 'pending' | 'stopped';
  /** Extension of ours: why it is in exception or stopped. */
  ClusterStatusReason?: string;
  /** Extension of ours: the login node. */
  Host?: string;
  /** Extension of ours: when it last answered about jobs, UNIX seconds. */
  CheckedTime?: number;
  /**
   * Extension of ours: when it is asked about jobs next, UNIX seconds; absent while
   * nothing is asked.
   */
  NextCheckTime?: number;
  /**
   * Extension of ours: whether it is not asked any more, because it did not answer;
   * RefreshJobs asks again.
   */
  Paused?: boolean;
  Manager?: ManagerInfo;
}

/** Submit a job to a cluster. */
export interface CreateJobRequest {
  /** The cluster's name; `local` is this machine. */
  ClusterId: string;
  /** The job's name; made from its command if empty. */
  JobName?: string;
  /** The job's specification. */
  JobSpec: JobSpec;
  /**
   * Any text of up to 64 characters that makes the request unique: asking twice with it
   * gives one job.
   */
  ClientToken?: string;
}

/** The job as submitted. */
export interface CreateJobResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  /** The scheduler's id of the job. */
  JobId: string;
  /** `true`. */
  Success?: string;
}

/** Forget jobs that ended: they are no longer listed. */
export interface DeleteJobsRequest {
  ClusterId: string;
  JobIds: string[];
  /** Whether the jobs' folders on the cluster go, too; output that lies elsewhere stays. */
  DeleteFolder?: boolean;
}

/** All of them are forgotten. */
export interface DeleteJobsResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  /** Extension of ours: what happened to each. */
  Results?: JobOutcome[];
}

/** Forget a template. */
export interface DeleteTemplateRequest {
  /** As it is listed. */
  Name: string;
}

/** It is forgotten. */
export interface DeleteTemplateResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
}

/** Look at one cluster. */
export interface GetClusterRequest {
  ClusterId: string;
}

/** One cluster, flat. */
export interface GetClusterResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  ClusterId: string;
  ClusterName: string;
  ClusterDescription?: string;
  /**
   * running: it answered; exception: it did not; pending: nobody asked yet; stopped:
   * disabled in the configuration.
   */
  ClusterStatus?: 'running' | 'exception' | 'pending' | 'stopped';
  /** Extension of ours: why it is in exception or stopped. */
  ClusterStatusReason?: string;
  /** Extension of ours: the login node. */
  Host?: string;
  /** Extension of ours: when it last answered about jobs, UNIX seconds. */
  CheckedTime?: number;
  /**
   * Extension of ours: when it is asked about jobs next, UNIX seconds; absent while
   * nothing is asked.
   */
  NextCheckTime?: number;
  /**
   * Extension of ours: whether it is not asked any more, because it did not answer;
   * RefreshJobs asks again.
   */
  Paused?: boolean;
  Manager?: ManagerInfo;
}

/** Read a part of a job's output. */
export interface GetJobLogRequest {
  ClusterId: string;
  JobId: string;
  LogType?: 'stdout' | 'stderr' | 'all';
  /** Bytes to skip. */
  Offset?: number;
  /** Bytes to read at most. */
  Size?: number;
  /** The task of an array; also as `10_3` in JobId. */
  TaskId?: number;
}

/** Bytes of a job's output, Base64; a file that does not exist yet is absent. */
export interface GetJobLogResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  JobId: string;
  StdoutLog?: string;
  /** The file's size in bytes. */
  StdoutLogSize?: number;
  StderrLog?: string;
  StderrLogSize?: number;
}

/** Look at one job. */
export interface GetJobRequest {
  ClusterId: string;
  JobId: string;
}

/** One job. */
export interface GetJobResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  JobInfo: JobInfo;
}

/** Keep jobs or tasks that wait from starting. */
export interface HoldJobsRequest {
  ClusterId: string;
  JobIds: string[];
}

/** All of them are held. */
export interface HoldJobsResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  /** What happened to each. */
  Results?: JobOutcome[];
}

/**
 * Everything a client shows of a job; what is not known is left out. Also a card's data
 * and an event's payload.
 */
export interface JobDetail {
  /** The cluster's name here. */
  ClusterId: string;
  /** The request that made the job; names its folder. */
  RequestId: string;
  /** The scheduler's id; absent until the scheduler gave one. */
  JobId?: string;
  /** The job's name. */
  JobName: string;
  /** One of the common states. */
  State: JobState;
  /** The scheduler's own word for the state. */
  NativeState?: string;
  /** Why it waits or why it ended so, in the scheduler's words. */
  Reason?: string;
  /**
   * Why it waits, or why it did not end well, in plain words; absent where there is
   * nothing to explain.
   */
  Explanation?: string;
  /** What to do about it. */
  Advice?: string;
  /** The command's exit code, 0 to 255. */
  ExitCode?: number;
  /** The signal that ended the command. */
  Signal?: number;
  /** The account it runs as. */
  User?: string;
  /** The queue it is in. */
  Queue?: string;
  /** The nodes it runs on, as the scheduler writes them. */
  NodeList?: string;
  /** When it was submitted, UNIX seconds. */
  SubmitTime?: number;
  /**
   * When the scheduler means to start it, of a job that waits, UNIX seconds; it may change
   * its mind.
   */
  ExpectedStartTime?: number;
  /** When it started (the first task, for an array), UNIX seconds. */
  StartTime?: number;
  /** When it ended (the last task, for an array), UNIX seconds. */
  EndTime?: number;
  /** How long it may run, seconds. */
  WallTimeS?: number;
  /** The range of its tasks, for an array. */
  ArrayRequest?: string;
  /** For an array: how many tasks are in each state. */
  Tasks?: Record<string, number>;
  /** What it occupies or occupied; absent for an array as a whole. */
  Occupied?: Occupied;
  /** The most memory that it used on a node, MB; known for some jobs after their end. */
  MemoryPeakMb?: number;
  /** The jobs that it waits for, `ok:12,any:13`. */
  After?: string;
  /** The id of the job that it runs again. */
  RerunOf?: string;
  /** The job's folder on the cluster. */
  Folder?: string;
  /** Where its standard output lies on the cluster; %a stands for an array's task. */
  StdoutPath?: string;
  /** Where its standard error lies on the cluster. */
  StderrPath?: string;
  /** When the cluster last said something about it, UNIX seconds. */
  CheckedTime?: number;
  /** Why what is shown may be old: the words of the question that failed. */
  StaleReason?: string;
}

/** A change of a job's state. */
export interface JobEvent {
  /** When it was noticed here, UNIX seconds. */
  Time: number;
  /** The state from then on. */
  State: JobState;
  /**
   * Who said so: the request itself, the submission's answer, the queue, the accounting,
   * the job's own folder.
   */
  Source: 'request' | 'submit' | 'queue' | 'history' | 'folder';
  /** Why, in the words of who said it. */
  Reason?: string;
}

/** Which jobs to list. */
export interface JobFilter {
  /** UNIX seconds. */
  CreateTimeStart?: string;
  /** UNIX seconds. */
  CreateTimeEnd?: string;
  /** A part of the name. */
  JobName?: string;
  JobStatus?: 'all' | 'finished' | 'notfinish';
  Queues?: string[];
  Users?: string[];
  /** Jobs on any of these nodes. */
  Nodes?: string[];
  /**
   * These jobs only, by their ids or by the ids of the requests that made them; of those
   * also a request that was refused.
   */
  JobIds?: string[];
  /** Sent by the official SDK, always empty; no scheduler here diagnoses. */
  Diagnosis?: unknown[];
  SortBy?: SortBy;
}

/** One job, in the API's own words, with ours in `Detail`. */
export interface JobInfo {
  JobId?: string;
  JobName: string;
  /** The id of the whole array, for an array and its tasks. */
  ArrayJobId?: string;
  /** The task that was asked for. */
  ArrayJobSubId?: string;
  /** The scheduler's wording. */
  State: string;
  CommandLine?: string;
  JobQueue?: string;
  Priority?: string;
  ArrayRequest?: string;
  /** ISO 8601 without zone, UTC. */
  CreateTime?: string;
  StartTime?: string;
  LastModifyTime?: string;
  NodeList?: string;
  /** The path of its standard output. */
  OutputLog?: string;
  /** The path of its standard error. */
  ErrorLog?: string;
  /** What was asked for. */
  Resources?: ResourceTexts;
  /** What the scheduler gave, without `Gpus`. */
  ResourcesUsed?: ResourceTexts;
  RunasUser?: string;
  Variables?: Variable[];
  /**
   * A JSON object as text: of `ExitCode`, `Signal`, `Reason` and `RerunOf`, those that are
   * known.
   */
  ExtraInfo?: string;
  Detail: JobDetail;
}

/** What happened to one of several jobs. */
export interface JobOutcome {
  /** As it was asked for. */
  JobId: string;
  /** What was done, or why there was nothing to do. */
  Outcome: 'stopping' | 'ended already' | 'held' | 'released' | 'deleted' | 'submitted again';
  /** The id of the new job, of one that was submitted again. */
  NewJobId?: string;
}

/** A job's specification: what runs, as whom, where, with what and for how long. */
export interface JobSpec {
  /**
   * The script's text itself, instead of a command line; its first line may name the
   * interpreter (#!/bin/bash if not).
   */
  Script?: string;
  /**
   * A script on the cluster, relative to your home, with its arguments; or two hyphens and
   * a command: -- /bin/ping -c 1 localhost.
   */
  CommandLine?: string;
  /** The queue; the cluster's default if empty. */
  JobQueue?: string;
  /** How long the job may run: hours:minutes:seconds. */
  WallTime?: string;
  /**
   * What the job occupies on the cluster. Leave it empty when the script has #SBATCH or
   * #PBS lines of its own.
   */
  Resources?: Resources;
  /**
   * Run the job once for each index of a range, first-last:step; 1-5:2 runs tasks 1, 3 and
   * 5.
   */
  ArrayRequest?: string;
  /**
   * Jobs of this cluster that must end first: ok:12 waits until job 12 ended well, any:12
   * until it ended, notok:12 until it ended and not well; several with commas.
   */
  After?: string;
  /** Environment variables of the job, as a JSON array of objects with Name and Value. */
  Variables?: string;
  /** 0 to 9, larger is sooner. */
  Priority?: string;
  /** The folder the job starts in, a full path or ~/…; your home if empty. */
  WorkDir?: string;
  /**
   * Full path of the file for standard output; in the job's own folder if empty. %j
   * becomes the job id, %a the task (added for arrays if missing).
   */
  StdoutPath?: string;
  /** Full path of the file for standard error; like the standard output's. */
  StderrPath?: string;
  /**
   * A shell command that runs after the job's command ended, however it ended;
   * EHPC_EXIT_CODE holds its exit code.
   */
  PostCmdLine?: string;
  /** The cluster's account that submits and runs the job; the one you log in with if empty. */
  RunasUser?: string;
  /** The password of the account in Run as user; used to log in, never stored. */
  RunasUserPassword?: string;
}

/**
 * The one set of states; every scheduler's own maps into it, and its own word is kept
 * beside it.
 */
export type JobState =
  | 'SUBMITTING'
  | 'NOT_SUBMITTED'
  | 'QUEUED'
  | 'HELD'
  | 'RUNNING'
  | 'SUSPENDED'
  | 'FINISHED'
  | 'FAILED'
  | 'CANCELLED'
  | 'TIMEOUT'
  | 'OUT_OF_MEMORY'
  | 'NODE_FAILED'
  | 'UNKNOWN';

/** List the clusters configured here. */
export interface ListClustersRequest {
  ClusterIds?: string[];
  ClusterNames?: string[];
  PageNumber?: number;
  PageSize?: number;
}

/** The clusters. */
export interface ListClustersResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  PageNumber: string;
  PageSize: number;
  TotalCount: number;
  Clusters: ClusterInfo[];
}

/** List what became of a job, step by step. */
export interface ListJobEventsRequest {
  ClusterId: string;
  JobId: string;
}

/** All changes of the job's state, oldest first. */
export interface ListJobEventsResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  JobId: string;
  Events: JobEvent[];
}

/** List the jobs known here, newest first. */
export interface ListJobsRequest {
  ClusterId: string;
  PageNumber?: number;
  PageSize?: number;
  JobFilter?: JobFilter;
}

/** A page of jobs. */
export interface ListJobsResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: boolean;
  PageNumber: number;
  PageSize: number;
  TotalCount: number;
  Jobs: ListedJob[];
}

/** List a cluster's compute nodes, in the order of their names. */
export interface ListNodesRequest {
  ClusterId: string;
  Hostnames?: string[];
  /** Nodes that are in any of them. */
  QueueNames?: string[];
  /** As in `NodeInfo`. */
  Status?: string[];
  PrivateIpAddress?: string[];
  /** When a node was added is known to no scheduler: both sort by name. */
  SortBy?: 'AddedTime' | 'HostName';
  Sequence?: 'Forward' | 'Backward';
  PageNumber?: number;
  PageSize?: number;
}

/** A page of nodes. */
export interface ListNodesResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  PageNumber: number;
  PageSize: number;
  TotalCount: number;
  Nodes: NodeInfo[];
}

/** List a cluster's queues and their limits. */
export interface ListQueuesRequest {
  ClusterId: string;
  QueueNames?: string[];
  RunasUser?: string;
  RunasUserPassword?: string;
}

/** The queues. */
export interface ListQueuesResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: boolean;
  Queues: QueueInfo[];
}

/** List the tasks of an array, those of one state and one fate together. */
export interface ListTasksRequest {
  ClusterId: string;
  JobId: string;
  /** Only tasks in these states; all if empty. */
  States?: string[];
  PageNumber?: number;
  PageSize?: number;
}

/** A page of groups of tasks, in the order of their first index. */
export interface ListTasksResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  PageNumber: number;
  PageSize: number;
  /** How many groups there are. */
  TotalCount: number;
  Tasks: TaskGroup[];
}

/** List the templates that were saved here. */
export interface ListTemplatesRequest {
}

/** All templates, by name. */
export interface ListTemplatesResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  Templates: Template[];
}

/** List the accounts of a cluster that are known here. */
export interface ListUsersRequest {
  ClusterId: string;
  PageNumber?: number;
  PageSize?: number;
}

/**
 * A page of accounts: the one that logs in, and those that jobs were submitted as from
 * here.
 */
export interface ListUsersResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  PageNumber: number;
  PageSize: number;
  TotalCount: number;
  Users: UserList;
}

/** One job of a list. */
export interface ListedJob {
  JobName: string;
  JobSpec: ListedSpec;
  Detail: JobDetail;
}

/** One job of a list: scalars are texts, times UNIX seconds. */
export interface ListedSpec {
  /** The scheduler's id. */
  Id?: string;
  /** The id of the whole array, for an array. */
  ArrayJobId?: string;
  /** Absent: an array is listed once, not by its tasks. */
  ArrayJobSubId?: string;
  ArrayRequest?: string;
  /**
   * What is noted with the job in the scheduler's own record: the id of the request that
   * made it.
   */
  Comment?: string;
  JobQueue?: string;
  /** When it ended, else started, else was submitted. */
  LastModifyTime?: string;
  NodeList?: string;
  Priority?: string;
  Resources?: ResourceTexts;
  ResourcesActualOccupied?: ResourceTexts;
  RunasUser?: string;
  StartTime?: string;
  /** The scheduler's wording. */
  State: string;
  StderrPath?: string;
  StdoutPath?: string;
  SubmitTime?: string;
  /** A JSON object as text. */
  Variables?: string;
}

/** Who manages a cluster's jobs. */
export interface ManagerInfo {
  Scheduler: SchedulerInfo;
}

/** A compute node. */
export interface NodeInfo {
  Hostname: string;
  /** Its queues, with commas. */
  QueueName?: string;
  /**
   * running: it takes jobs, now or later; stopped: it is switched off; exception: the
   * scheduler cannot use it.
   */
  Status?: 'running' | 'stopped' | 'exception';
  /** The scheduler's word. */
  StateInSched: string;
  /** Why it takes no jobs, in the scheduler's words. */
  Reason?: string;
  IpAddress?: string;
  TotalResources: NodeResources;
}

/** What a node has. */
export interface NodeResources {
  /** Cores that the scheduler gives away. */
  Cpu?: number;
  Gpu?: number;
  /** NO_TRUTH GiB. */
  Memory?: number;
}

/** What the scheduler gave to a job that runs or ran; what it did not say is absent. */
export interface Occupied {
  /** Nodes in all. */
  Nodes?: number;
  /** Cores on each node. */
  Cores?: number;
  /** Memory on each node, MB. */
  MemoryMb?: number;
  /** GPUs on each node. */
  Gpus?: number;
}

/** Something that is wrong with a request. */
export interface ProblemInfo {
  /** The wire path of the field, `JobSpec.WallTime`. */
  Field: string;
  /** What is wrong with it and what to do. */
  Message: string;
}

/**
 * A queue. All but `QueueName` and `TotalCores` are extensions of ours; what is not known
 * is absent.
 */
export interface QueueInfo {
  QueueName: string;
  IsDefault: boolean;
  State: string;
  TotalCores?: number;
  MaxWallTime?: string;
  MaxNodes?: number;
  MaxCoresPerNode?: number;
  MaxMemoryPerNode?: string;
  MaxGpusPerNode?: number;
  IdleNodes?: number;
}

/** Ask the cluster now, also one that is left alone because it did not answer. */
export interface RefreshJobsRequest {
  ClusterId: string;
}

/** It is being asked; what changes goes out as events. */
export interface RefreshJobsResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
}

/** Let jobs or tasks that are held start again. */
export interface ReleaseJobsRequest {
  ClusterId: string;
  JobIds: string[];
}

/** All of them wait for their turn again. */
export interface ReleaseJobsResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  /** What happened to each. */
  Results?: JobOutcome[];
}

/** Submit jobs that ended once more, as new jobs with the same specification. */
export interface RerunJobsRequest {
  ClusterId: string;
  JobIds: string[];
  /** The password of the account that the jobs ran as; it was not kept. */
  RunasUserPassword?: string;
  /** As in CreateJob: asking twice with it runs each job once more, not twice. */
  ClientToken?: string;
}

/** The new jobs. */
export interface RerunJobsResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  /** The new jobs' ids, in the order of the request. */
  JobIds: string[];
  /** What happened to each. */
  Results?: JobOutcome[];
}

/** Resources in the API's answers: numbers as text. */
export interface ResourceTexts {
  /** Nodes in all. */
  Nodes?: string;
  /** Cores on each node. */
  Cores?: string;
  /** Memory on each node, `1536MB`. */
  Memory?: string;
  /** GPUs on each node. */
  Gpus?: string;
}

/** What the job occupies. Nodes counts in all, the other three count on each node. */
export interface Resources {
  /** Compute nodes in all. */
  Nodes?: number;
  /** CPU cores on each node. */
  Cores?: number;
  /** Memory on each node, in MB or GB, for instance 4GB. */
  Memory?: string;
  /** GPUs on each node. */
  Gpus?: number;
}

/** Save a template under a name, in place of the one that has the name already. */
export interface SaveTemplateRequest {
  /** 1 to 100 printable characters. */
  Name: string;
  /**
   * What is to be filled in: a field's wire path and its value as text. A password is
   * refused.
   */
  Fields: Record<string, string>;
}

/** It is saved. */
export interface SaveTemplateResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
}

/** The batch system. */
export interface SchedulerInfo {
  Type: string;
  Version?: string;
}

/**
 * In which order jobs are listed. The keys count in this order, and jobs that no key tells
 * apart are newest first.
 */
export interface SortBy {
  /** By start; jobs that did not start come last. */
  ExecuteOrder?: 'asc' | 'desc';
  /** Waiting jobs first, by submission. */
  PendOrder?: 'asc' | 'desc';
  /** By submission. */
  SubmitOrder?: 'asc' | 'desc';
}

/** Stop jobs that wait or run, or tasks of an array: `10`, `10_3`, `10_[1-5,7]`. */
export interface StopJobsRequest {
  ClusterId: string;
  JobIds: string[];
}

/** All of them were told to stop, or had ended. */
export interface StopJobsResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: string;
  /** Extension of ours: what happened to each. */
  Results?: JobOutcome[];
}

/** Tasks of an array of which the same is known; what is not known is left out. */
export interface TaskGroup {
  /** Their indices, `3` or `1-5,7` or `2-100:2`. */
  Tasks: string;
  /** How many they are. */
  Count: number;
  /** One of the common states. */
  State: JobState;
  /** The scheduler's own word for the state. */
  NativeState?: string;
  /** Why they wait or why they ended so, in the scheduler's words. */
  Reason?: string;
  /** The same in plain words. */
  Explanation?: string;
  /** The command's exit code, 0 to 255. */
  ExitCode?: number;
  /** The signal that ended the command. */
  Signal?: number;
  /** Where they run or ran. */
  NodeList?: string;
  /** When the first of them started, UNIX seconds. */
  StartTime?: number;
  /** When the last of them ended, UNIX seconds. */
  EndTime?: number;
}

/** A named template. */
export interface Template {
  /** 1 to 100 printable characters. */
  Name: string;
  /**
   * What is filled in: a field's wire path and its value as text, as one would type it;
   * Variables as their JSON array.
   */
  Fields: Record<string, string>;
  /** When it was saved last, UNIX seconds. */
  SavedTime: number;
}

/** An account. Its groups and when it was made are not for a scheduler to know. */
export interface UserInfo {
  UserName: string;
}

/** The API's wrapping of a list. */
export interface UserList {
  UserInfo: UserInfo[];
}

/** An environment variable of the job. */
export interface Variable {
  /** Letters, digits and underscores, not starting with a digit. */
  Name: string;
  /** Any text but NUL; it arrives byte for byte. */
  Value: string;
}

/** Every action with what goes in and what comes out. */
export interface Actions {
  GetCluster: { request: GetClusterRequest; response: GetClusterResponse };
  ListClusters: { request: ListClustersRequest; response: ListClustersResponse };
  ListNodes: { request: ListNodesRequest; response: ListNodesResponse };
  ListQueues: { request: ListQueuesRequest; response: ListQueuesResponse };
  ListUsers: { request: ListUsersRequest; response: ListUsersResponse };
  CheckJob: { request: CheckJobRequest; response: CheckJobResponse };
  CreateJob: { request: CreateJobRequest; response: CreateJobResponse };
  DeleteJobs: { request: DeleteJobsRequest; response: DeleteJobsResponse };
  GetJobLog: { request: GetJobLogRequest; response: GetJobLogResponse };
  GetJob: { request: GetJobRequest; response: GetJobResponse };
  RerunJobs: { request: RerunJobsRequest; response: RerunJobsResponse };
  HoldJobs: { request: HoldJobsRequest; response: HoldJobsResponse };
  ListJobEvents: { request: ListJobEventsRequest; response: ListJobEventsResponse };
  ListTasks: { request: ListTasksRequest; response: ListTasksResponse };
  RefreshJobs: { request: RefreshJobsRequest; response: RefreshJobsResponse };
  ReleaseJobs: { request: ReleaseJobsRequest; response: ReleaseJobsResponse };
  StopJobs: { request: StopJobsRequest; response: StopJobsResponse };
  ListJobs: { request: ListJobsRequest; response: ListJobsResponse };
  DeleteTemplate: { request: DeleteTemplateRequest; response: DeleteTemplateResponse };
  ListTemplates: { request: ListTemplatesRequest; response: ListTemplatesResponse };
  SaveTemplate: { request: SaveTemplateRequest; response: SaveTemplateResponse };
}
