/** What the routes of services and of the kernel answer. */
import { z } from 'zod'
import type {
  EffectiveConfig,
  KernelChange,
  KernelInfo,
  KernelStatus,
  KernelSwapResult,
  MethodInfo,
  PlannedChange,
  ReloadResult,
  ServiceDetail,
  ServiceSource,
  ServiceStatus,
  TaskInfo,
  Traffic,
} from '../../../contracts/kernel.ts'
import type { SandboxReport } from '../../../contracts/sandbox.ts'
import type { Json } from '../../../contracts/seams.ts'
import { shape } from './route.ts'
import { epochMs, errorData, jsonMap } from './shapes.ts'

const count = z.number().int()
const generation = z.number().int().nullable()
const fault = errorData.nullable()
const latency = z.object({ p50: z.number(), p99: z.number() }).nullable()

export const serviceState = z.enum([
  'waiting',
  'starting',
  'live',
  'switching',
  'draining',
  'stopped',
  'failed',
  'tripped',
  'quarantined',
])

const status = z.object({
  api: z.string(),
  prog: z.string(),
  state: serviceState,
  generation,
  config_file: z.string().describe('from the root'),
  source_file: z.string().nullable(),
  source_hash: z.string().nullable().describe('of the source that serves'),
  config_hash: z.string().nullable().describe('of the config that serves'),
  disk_hash: z.string().nullable().describe('of the source as it is on disk now'),
  disk_config_hash: z.string().nullable().describe('of the config as it is on disk now'),
  stale: z.boolean().describe('what is on disk is not what runs'),
  last_good: epochMs.nullable().describe('when the version that stands in was kept'),
  sandboxed: z.boolean(),
  calls: count,
  errors: count,
  in_flight: count,
  queued: count.describe('calls that wait for it to be live'),
  generations: count.describe('versions that run: the live one and those that drain'),
  reloads: count,
  restarts: count,
  tasks: count,
  uptime_s: z.number(),
  last_error: fault,
  last_error_at: epochMs.nullable(),
  waiting_for: z.array(z.string()),
  needs: z.array(z.string()),
  description: z.string().nullable(),
  domain: z.string().nullable().describe('of its config: what it is seen together with'),
})
export const serviceStatus = shape<ServiceStatus>('Service', status)

const method: z.ZodType<MethodInfo, MethodInfo> = z.object({
  name: z.string(),
  kind: z.enum(['call', 'stream']),
  length: count.describe('how many parameters it declares'),
})
const owned: z.ZodType<TaskInfo, TaskInfo> = z.object({
  label: z.string(),
  kind: z.enum(['task', 'owned', 'held']),
  age_ms: z.number(),
})
const power = z.object({ power: z.string(), count, last_at: epochMs })
const sandbox: z.ZodType<SandboxReport, SandboxReport> = z.object({
  isolation: z.enum(['own', 'group', 'inline']),
  group: z.string().describe('which modules may share its process'),
  pid: z.number().nullable(),
  limits: z.object({
    memory_mb: z.number(),
    cpu_ms: z.number(),
    wall_ms: z.number(),
    cpu_share: z.number(),
    message_bytes_max: z.number(),
    messages_max: z.number(),
  }),
  kills: z.record(z.string(), count).describe('times its code broke a limit, by error code'),
  granted: z.array(z.string()),
  used: z.array(power),
  refused: z.array(power),
})
export const serviceDetail = shape<ServiceDetail>(
  'ServiceDetail',
  status.extend({
    methods: z.array(method),
    aspects: z.array(z.string()),
    tools: z.array(z.object({ name: z.string(), description: z.string(), schema: jsonMap })),
    latency_ms: latency,
    draining: z.array(z.object({ generation: count, in_flight: count })),
    owned: z.array(owned),
    sandbox: sandbox.nullable().describe('null: it runs in the process of the system'),
  }),
)

export const traffic = shape<Traffic>(
  'Traffic',
  z.object({
    at: epochMs,
    services: z
      .array(z.object({ api: z.string(), calls: count, errors: count, latency_ms: latency }))
      .describe('those that were called'),
    links: z
      .array(z.object({ caller: z.string(), callee: z.string(), calls: count, in_flight: count }))
      .describe('begins again when one of the two has a new version; a stream is in it while it is open'),
  }),
)

export const serviceSource = shape<ServiceSource>(
  'ServiceSource',
  z.object({
    api: z.string(),
    which: z.enum(['live', 'disk']),
    generation,
    source_hash: z.string().nullable(),
    config_hash: z.string().nullable(),
    config_file: z.string().nullable(),
    added_later: z.boolean().describe('its config appeared after the start of the process'),
    files: z.record(z.string(), z.string()).describe('by path from the root; secrets are taken out'),
  }),
)

export const reloadResult = shape<ReloadResult>(
  'Reload',
  z.object({
    ok: z.boolean(),
    generation: generation.describe('the one that serves now'),
    error: fault,
    rolled_back: z.boolean(),
    state: z
      .enum(['carried', 'restored', 'lost', 'none'])
      .describe('what became of its state; `none` for a first version'),
    from: generation.describe('the one that served before'),
    ms: z.number(),
    failed_calls: count,
    deferred: z.boolean().describe('it is put off and tried again by itself'),
  }),
)

export const plannedChange = shape<PlannedChange>(
  'PlannedChange',
  z.object({
    api: z.string(),
    change: z.enum(['start', 'reload', 'configure', 'stop', 'none']),
    generation,
    files: z.array(z.string()),
    keys: z.array(z.string()).describe('config keys that differ from what runs'),
    mode: z.enum(['overlap', 'quiesce', 'exclusive']).nullable(),
    state: z.enum(['carried', 'lost', 'none']),
    together_with: z.array(z.string()).describe('switched in the same tick'),
    callers: z.array(z.string()),
    in_flight: count,
    powers: z
      .object({
        granted: z
          .object({ before: z.array(z.string()).nullable(), after: z.array(z.string()).nullable() })
          .describe('by its config; null: it runs outside of a sandbox, with every power'),
        used: z
          .object({ before: z.array(z.string()), after: z.array(z.string()) })
          .describe('what its text asks for, as the smallest grants that would do'),
        missing: z.array(z.string()).describe('grants without which it does not go live'),
      })
      .nullable()
      .describe('null: it runs in no sandbox, before and after'),
    error: fault,
  }),
)

/** Any JSON value; a schema that contains itself would be a name of its own in every client. */
const json = z.custom<Json>()
export const effectiveConfig = shape<EffectiveConfig>(
  'EffectiveConfig',
  z.object({
    api: z.string(),
    file: z.string(),
    prog: z.string(),
    shadowed: z.array(z.string()).describe('versions of this config that lost to `file`'),
    values: z.array(z.object({ key: z.string(), value: json, origin: z.string() })),
    error: fault,
  }),
)

const kernelStatusShape = z.object({
  version: z.string(),
  prog: z.string(),
  meta_file: z.string(),
  status: z.enum(['ok', 'starting', 'degraded', 'stopping']),
  frozen: z.enum(['none', 'self', 'all']),
  uptime_s: z.number(),
  services: z.record(z.string(), z.object({ state: serviceState, generation })),
  config_errors: z.array(errorData),
})

const kernelChange: z.ZodType<KernelChange, KernelChange> = z.object({
  at: epochMs,
  from: z.string(),
  to: z.string(),
  meta_file: z.string(),
  outcome: z.enum(['swapped', 'refused', 'taken_back', 'confirmed']),
  error: fault,
  pause_ms: z.number().nullable(),
})

export const kernelInfo = shape<KernelStatus & KernelInfo>(
  'Kernel',
  kernelStatusShape.extend({
    config_hash: z.string(),
    source_key: z.string(),
    on_probation: z.boolean(),
    versions: z.array(
      z.object({
        meta_file: z.string(),
        version: z.string(),
        state: z.enum(['running', 'wanted', 'older', 'refused']),
        error: fault,
      }),
    ),
    fallbacks: z.array(errorData),
    history: z.array(kernelChange),
  }),
)

export const kernelSwapResult = shape<KernelSwapResult>(
  'KernelSwap',
  z.object({
    ok: z.boolean(),
    from: z.string(),
    to: z.string(),
    error: fault,
    pause_ms: z.number().nullable().describe('for how long the process did nothing else, at the switch'),
    ms: z.number(),
  }),
)
