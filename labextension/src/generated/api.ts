// Generated from ehpc_jupyter/models by tools/generate_types.py; do not edit.

/** A cluster. */
export interface ClusterInfo {
  ClusterId: string;
  ClusterName: string;
  ClusterDescription?: string;
  /** running: it answered; exception: it did not; pending: nobody asked yet. */
  ClusterStatus?: 'running' | 'exception' | 'pending';
  /** Extension of ours: why it is in exception. */
  ClusterStatusReason?: string;
  /** Extension of ours: the login node. */
  Host?: string;
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
  Success?: boolean;
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
  Success?: boolean;
  JobInfo: JobInfo;
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
  Nodes?: string[];
  /** Sent by the official SDK, always empty. */
  Diagnosis?: string[];
  SortBy?: Record<string, string>;
}

/** One job, in the API's own words, with ours in `Detail`. */
export interface JobInfo {
  JobId?: string;
  JobName: string;
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
  Resources?: ResourceFigures;
  RunasUser?: string;
  Variables?: Variable[];
  ExtraInfo?: string;
  Detail: JobDetail;
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

/** One job of a list. */
export interface ListedJob {
  JobName: string;
  JobSpec: Record<string, unknown>;
  Detail: JobDetail;
}

/** Who manages a cluster's jobs. */
export interface ManagerInfo {
  Scheduler: SchedulerInfo;
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

/** Resources in the API's answers. */
export interface ResourceFigures {
  Nodes?: number;
  Cores?: number;
  Memory?: string;
  Gpus?: number;
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

/** The batch system. */
export interface SchedulerInfo {
  Type: string;
  Version?: string;
}

/** Stop jobs that wait or run. */
export interface StopJobsRequest {
  ClusterId: string;
  JobIds: string[];
}

/** All of them were told to stop. */
export interface StopJobsResponse {
  /** The id of the request, also in the server's log. */
  RequestId?: string;
  Success?: boolean;
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
  CreateJob: { request: CreateJobRequest; response: CreateJobResponse };
  GetJob: { request: GetJobRequest; response: GetJobResponse };
  ListJobs: { request: ListJobsRequest; response: ListJobsResponse };
  GetJobLog: { request: GetJobLogRequest; response: GetJobLogResponse };
  StopJobs: { request: StopJobsRequest; response: StopJobsResponse };
  ListClusters: { request: ListClustersRequest; response: ListClustersResponse };
  ListQueues: { request: ListQueuesRequest; response: ListQueuesResponse };
}
