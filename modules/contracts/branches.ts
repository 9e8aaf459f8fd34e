/** Changes that became branches of a git repository. */
export interface BranchRecord {
  /** the proposal, as `c12` */
  id: string
  branch: string
  commit: string
  /** the draft pull request; null: none was opened */
  pull: { number: number; url: string } | null
  /** epoch milliseconds */
  made_at: number
}

export interface BranchesApi {
  /** Newest first. */
  list(): Promise<{ branches: BranchRecord[] }>
  /**
   * The branch of a change, made now where there is none, and its pull request where one is wanted. Rejects with
   * `branch_refused`, `branch_base`, `git_failed`, `pull_failed`, `proposal_missing`.
   */
  make(id: string): Promise<BranchRecord>
}
