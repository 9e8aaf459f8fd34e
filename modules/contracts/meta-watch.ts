/** How the loop itself does, what it tells people once, and what happened while somebody was away. Given out by `meta-loop.ts`. */
/** How the loop itself does, read from the ledger and nothing else. null: nothing of the kind has ended yet. */
export interface LoopHealth {
  cycles: number
  /** from its begin to its end, on average, of those that were begun */
  cycle_latency_ms: number | null
  /** of the changes of the loop that went live and were judged: the share that was kept */
  directive_success_rate: number | null
  /** of the changes of the loop that went live: the share that was taken back */
  rollback_rate: number | null
  /** of the rules that had data: the share that held */
  policy_match_rate: number | null
}

/** Told once, and again only after it was over. */
export interface LoopAlert {
  /** `verification_failures`, `gap_open G`, `pattern_survives R`, `compliance_low` */
  key: string
  message: string
  /** epoch milliseconds */
  at: number
  /** null: it still holds */
  over_at: number | null
}

/** What happened while somebody was away. */
export interface Briefing {
  cycles_run: number
  cycles_completed: number
  decisions_made: number
  pending_reviews: number
  /** at most five */
  recent_activity: string[]
  summary: string
}
