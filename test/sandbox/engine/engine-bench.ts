/** A place with guests for the tests of the engine: what they ask and tell is kept, and all of it ends with the test. */
import { SANDBOX_LIMITS } from '../../../modules/contracts/sandbox.ts'
import type {
  Guest,
  GuestEvents,
  GuestLimits,
  GuestPlace,
  GuestTold,
  HostAsk,
} from '../../../modules/contracts/sandbox.ts'
import type { ErrorData } from '../../../modules/contracts/errors.ts'
import { realClock } from '../../../modules/lib/clock.ts'
import { createEngine } from '../../../modules/sandbox/engine/index.ts'
import { packageRoot } from '../../support/root.ts'

export const engine = createEngine({ clock: realClock })

/** Where the files of a module seem to be. */
export const FOLDER = '/somewhere/modules'

export interface OpenedGuest {
  guest: Guest
  told: GuestTold[]
  /** what `closed` was called with */
  closed: ErrorData[]
  call<T = unknown>(method: string, ...args: unknown[]): Promise<T>
}

export type Answers = Partial<{ [K in keyof HostAsk]: (what: HostAsk[K]['ask']) => unknown }>

export interface OpenOptions {
  limits?: Partial<GuestLimits>
  packages?: string[]
  answers?: Answers
  config?: unknown
  onTold?: (told: GuestTold) => void
}

const places: GuestPlace[] = []

export async function startPlace(kind: 'process' | 'inline', rss_mb_max = 512): Promise<GuestPlace> {
  const place = kind === 'inline' ? engine.inline() : await engine.startProcess({ rss_mb_max })
  places.push(place)
  return place
}

export function endPlaces(): void {
  for (const place of places.splice(0)) place.kill({ code: 'stopped', message: 'the test is over', hint: '' })
}

/** Opens a guest of these files, `main.ts` first, without constructing it. */
export async function openOnly(
  place: GuestPlace,
  source: string | Record<string, string>,
  { limits = {}, packages = [], answers = {}, onTold }: OpenOptions = {},
): Promise<Omit<OpenedGuest, 'call'>> {
  const files = typeof source === 'string' ? { 'main.ts': source } : source
  const texts = Object.fromEntries(Object.entries(files).map(([name, text]) => [`${FOLDER}/${name}`, text]))
  const told: GuestTold[] = []
  const closed: ErrorData[] = []
  const events: GuestEvents = {
    ask: async (kind, what) => {
      const answer = answers[kind]
      if (answer === undefined) throw new Error(`nobody answers ${kind}`)
      return (answer as (asked: unknown) => never)(what)
    },
    told: (one) => {
      told.push(one)
      onTold?.(one)
    },
    closed: (error) => void closed.push(error),
  }
  const program = {
    owner: { service: 'svc', generation: 1 },
    entry: `${FOLDER}/${Object.keys(files)[0] ?? ''}`,
    texts,
    packages,
    packageFolders: [packageRoot],
  }
  const guest = await place.open(program, { ...SANDBOX_LIMITS, ...limits }, events)
  return { guest, told, closed }
}

/** The same, constructed and ready to be called. */
export async function openGuest(
  place: GuestPlace,
  source: string | Record<string, string>,
  options: OpenOptions = {},
): Promise<OpenedGuest> {
  const opened = await openOnly(place, source, options)
  await opened.guest.ask('construct', { config: options.config ?? {} })
  const call = (method: string, ...args: unknown[]): Promise<unknown> =>
    opened.guest.ask('call', { aspect: 'default', method, args })
  return { ...opened, call: call as OpenedGuest['call'] }
}
