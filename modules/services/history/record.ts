/** One line of the history's file, and what it says in plain words. Pure. */
import { isAbsolute } from 'node:path'
import type { ErrorData } from '../../contracts/errors.ts'
import type { Happening } from '../../contracts/history.ts'
import type { MachineEvent } from '../../contracts/module.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import { describeError } from '../../lib/errors.ts'

/** What a version was made from: by path from the root, the hash of each text. */
export interface VersionRecord {
  source_hash: string | null
  config_hash: string | null
  config_file: string | null
  files: Record<string, string>
}

export interface HistoryRecord {
  id: number
  time: number
  /** which process it was, and which of its events: what was recorded is not recorded again */
  boot: string
  event: number
  type: string
  data: JsonMap
  version?: VersionRecord
  /** from the root, what differs from the version before of the same service */
  changed?: string[]
  /** it was not there before, or had been stopped */
  added?: 'new' | 'again'
  /** it ended because the system did */
  ending?: true
}

type Say = (data: JsonMap, record: HistoryRecord) => string

const FILES_SHOWN = 4
const ADDED = { new: ', which is new', again: ' again' }

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')
const names = (value: unknown): string => (Array.isArray(value) ? value.map(text).join(', ') : '')

function failure(value: unknown): string {
  const error = value as Partial<ErrorData> | null | undefined
  return typeof error?.message === 'string' ? describeError(error as ErrorData) : 'no reason is known'
}

const serving = (value: unknown): string => (typeof value === 'number' ? `g${value} goes on serving` : 'nothing serves')

/** A few of the root's own; all stand in `files`. */
function listed(paths: readonly string[]): string {
  const own = paths.filter((path) => !isAbsolute(path))
  const others = paths.length - own.length
  return [
    ...own.slice(0, FILES_SHOWN),
    ...(own.length > FILES_SHOWN ? [`${own.length - FILES_SHOWN} more`] : []),
    ...(others > 0 ? [`${others} ${others === 1 ? 'file' : 'files'} outside the root`] : []),
  ].join(', ')
}

function wentLive(data: JsonMap, { changed = [], added }: HistoryRecord): string {
  const { api, from, generation, rolled_back, state, failed_calls } = data
  const files = changed.length === 0 ? '' : `: ${listed(changed)}`
  if (typeof from !== 'number')
    return `${text(api)} started as g${text(generation)}${added === undefined ? files : ADDED[added]}`
  const lost = Number(failed_calls) > 0 ? `, ${text(failed_calls)} calls failed` : ''
  const how = rolled_back === true ? ' (back to the version before)' : ''
  return `${text(api)} g${from} → g${text(generation)}${how}${files}; state ${text(state)}${lost}`
}

/** What is recorded, and how it is told. `change`: it changed what runs, or tried to. */
const TOLD: Record<string, { change: boolean; say: Say }> = {
  'service.live': { change: true, say: wentLive },
  'service.configured': {
    change: true,
    say: ({ api, generation, keys }) => `${text(api)} g${text(generation)} took new values: ${names(keys)}`,
  },
  'service.stopped': { change: true, say: ({ api }) => `${text(api)} was stopped` },
  'service.refused': {
    change: true,
    say: (data) => `${text(data['api'])} refused: ${failure(data['error'])}; ${serving(data['serving'])}`,
  },
  'service.rolled_back': {
    change: true,
    say: ({ api, reason }) => `${text(api)} went back to the version before: ${text(reason)}`,
  },
  'change.undone': {
    change: true,
    say: ({ services, files }) => `undone: ${names(files)} (${names(services)})`,
  },
  'config.error': { change: true, say: ({ error }) => failure(error) },
  'prompt.changed': { change: true, say: ({ path }) => `the prompt ${text(path)} changed` },
  'kernel.swapped': { change: true, say: ({ from, to }) => `kernel ${text(from)} → ${text(to)}` },
  'kernel.refused': {
    change: true,
    say: (data) => `kernel ${text(data['version'])} refused: ${failure(data['error'])}`,
  },
  'package.installed': { change: true, say: ({ id }) => `the package ${text(id)} was installed` },
  'package.removed': { change: true, say: ({ id }) => `the package ${text(id)} was removed` },
  'service.last_good': {
    change: true,
    say: (data) => `${text(data['api'])} runs its last good version: ${failure(data['error'])}`,
  },
  'service.tripped': {
    change: true,
    say: (data) => `${text(data['api'])} was switched off: ${failure(data['error'])}`,
  },
  'kernel.booted': { change: false, say: ({ version }) => `the system started with kernel ${text(version)}` },
  'kernel.stopping': { change: false, say: ({ reason }) => `the system stops: ${text(reason)}` },
  'kernel.stalled': {
    change: true,
    say: ({ service, off }) =>
      `the process stood still${typeof service === 'string' ? ` in ${service}` : ''}${off === true ? ', which is off now' : ''}`,
  },
  'service.restarting': {
    change: false,
    say: ({ api, ms }) => `${text(api)} failed and starts again in ${text(ms)} ms`,
  },
  'service.fault': {
    change: false,
    say: (data) => `${text(data['api'])} failed in ${text(data['where'])}: ${failure(data['error'])}`,
  },
  'service.deferred': {
    change: false,
    say: (data) => `the new version of ${text(data['api'])} waits: ${failure(data['error'])}`,
  },
  'call.failed': { change: false, say: (data) => `a call to ${text(data['api'])} failed: ${failure(data['error'])}` },
  'approval.asked': { change: false, say: ({ question }) => `a person is asked: ${text(question)}` },
  'mcp.server_down': { change: false, say: ({ api, reason }) => `${text(api)} lost its server: ${text(reason)}` },
  'mcp.server_up': { change: false, say: ({ api }) => `${text(api)} has its server again` },
}

export const isRecorded = ({ type }: MachineEvent): boolean => Object.hasOwn(TOLD, type)

/** They come by the hundred, and give way to what changed something. */
export const isFailure = ({ type }: HistoryRecord): boolean => type === 'call.failed' || type === 'service.fault'

export function tell(record: HistoryRecord): Happening {
  const { id, time, type, data, changed = [], added, ending } = record
  const known = TOLD[type]
  const api = data['api']
  // A start of what ran before the system was stopped changes nothing.
  const same =
    type === 'service.live' && changed.length === 0 && added === undefined && typeof data['from'] !== 'number'
  return {
    id: `h${id}`,
    time,
    type,
    api: typeof api === 'string' ? api : null,
    text: known === undefined ? type : known.say(data, record),
    change: known?.change === true && !same && ending === undefined,
    files: changed,
    data,
  }
}
