/** The service `traces`: who called whom within one request, and what came of it. */

export interface Span {
  trace: string
  span: string
  parent: string | null
  caller: string
  callee: string
  aspect: string
  method: string
  kind: 'call' | 'stream'
  /** of the callee; null when nobody took the call */
  generation: number | null
  source_hash: string | null
  config_hash: string | null
  /** epoch milliseconds */
  at: number
  ms: number
  outcome: 'ok' | 'error'
  /** why it failed; secrets are taken out */
  error: { code: string; message: string } | null
  /** of a call of a model */
  model: ModelUse | null
}

export interface ModelUse {
  name: string
  finish: string
  input_tokens: number | null
  output_tokens: number | null
  cost_usd: number | null
}

export interface TraceSummary {
  trace: string
  /** epoch milliseconds of its first span */
  at: number
  /** from the begin of its first span to the end of its last */
  ms: number
  spans: number
  /** spans that were left out, for a trace that grew too large */
  dropped: number
  errors: number
  /** `caller → callee.method` of its first span */
  entry: string
}

export interface Trace extends TraceSummary {
  /** in the order of their begin; `depth` is how far below the entry each one stands */
  tree: (Span & { depth: number })[]
}

export interface TracesApi {
  /** The newest first. */
  list(filter?: {
    limit?: number
    service?: string
    errors?: boolean
  }): Promise<{ traces: TraceSummary[]; total: number }>
  /** One trace, by its id or by the beginning of it. */
  show(id: string): Promise<Trace>
}
