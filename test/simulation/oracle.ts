/**
 * What should run, worked out from the files alone and in another way than the kernel does it: configs by name and
 * version, claims to one name, modules that can or cannot live. It knows only what `files.ts` can write.
 */
import { parse } from 'yaml'
import { SERVICE_LIMITS } from '../../modules/kernel/limits.ts'
import type { ExpectedService } from './history.ts'
import { sourceOf } from './loader.ts'
import type { MemoryFileSystem } from './memory-fs.ts'
import { isHelper, readSpec, type Spec } from './spec.ts'
import { at } from './world.ts'

type Values = Record<string, unknown>

/** What one config asks for, in words that can be compared with what runs. */
interface Wanted {
  api: string
  base: string
  prog: string
  values: Values
}

const isName = (value: unknown): boolean => typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9_./:-]*$/.test(value)
const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value)

const RULES: Record<string, (value: unknown) => boolean> = {
  api: (value) => isName(value) && value !== 'kernel',
  prog: isName,
  needs: (value) => Array.isArray(value) && value.every(isName),
  reload: (value) => value === 'overlap' || value === 'quiesce',
  enabled: (value) => typeof value === 'boolean',
  restart: (value) => typeof value === 'boolean' || isMap(value),
  limits: (value) =>
    isMap(value) &&
    Object.entries(value).every(
      ([key, one]) => (SERVICE_LIMITS as readonly string[]).includes(key) && typeof one === 'number',
    ),
}

/** undefined when the text is no config. */
function valuesOf(text: string): Values | undefined {
  let value: unknown
  try {
    value = parse(text) ?? {}
  } catch {
    return undefined
  }
  if (!isMap(value)) return undefined
  const fits = Object.entries(RULES).every(([key, rule]) => !Object.hasOwn(value, key) || rule(value[key]))
  return fits ? value : undefined
}

const RESERVED = new Set(['api', 'prog', 'enabled', 'needs', 'reload', 'restart', 'limits', 'description'])

/** The same shape for what a file asks for and for what runs. */
export const asksOf = (one: {
  prog: unknown
  params: unknown
  needs: unknown
  reload: unknown
  limits: unknown
  restart: unknown
}): string => JSON.stringify([one.prog, sorted(one.params), one.needs, one.reload, sorted(one.limits), one.restart])

const sorted = (map: unknown): unknown =>
  Object.entries((map ?? {}) as Values).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

function asksOfWanted({ prog, values }: Wanted): string {
  const params = Object.fromEntries(Object.entries(values).filter(([key]) => !RESERVED.has(key)))
  const { needs = [], reload, limits = {}, restart } = values
  return asksOf({ prog, params, needs, reload, limits, restart })
}

interface Asked {
  wanted: Map<string, Wanted>
  /** files that cannot be used: what runs from them goes on */
  brokenBases: Set<string>
  /** those of them that want a name which another wants too */
  takenBases: Set<string>
  contested: Set<string>
}

function readConfigs(fs: MemoryFileSystem, defaults: Values): Asked {
  const asked: Asked = { wanted: new Map(), brokenBases: new Set(), takenBases: new Set(), contested: new Set() }
  const chosen = new Map<string, { version: number[]; path: string }>()
  for (const path of fs.paths(`${at('configs')}/`)) {
    const inside = path.slice(at('configs/').length)
    if (/(^|\/)\./.test(inside) || /^meta[^/]*$/.test(inside)) continue
    const [, base = '', numbers] = /^(.+?)(?:-v([\d.]+))?\.yml$/.exec(inside) ?? []
    const version = numbers === undefined ? [-1] : numbers.split('.').map(Number)
    const known = chosen.get(base)
    if (known === undefined || isNewer(version, known.version)) chosen.set(base, { version, path })
  }
  const claims = new Map<string, Wanted[]>()
  for (const [base, { path }] of chosen) {
    const values = valuesOf(fs.textOf(path) ?? '')
    if (values === undefined) asked.brokenBases.add(base)
    else if (values['enabled'] !== false) {
      const api = String(values['api'] ?? base)
      const wanted = { api, base, prog: String(values['prog'] ?? base), values: { ...defaults, ...values } }
      claims.set(api, [...(claims.get(api) ?? []), wanted])
    }
  }
  for (const [api, [first, ...others]] of claims) {
    if (first !== undefined && others.length === 0) asked.wanted.set(api, first)
    else {
      asked.contested.add(api)
      for (const one of [first, ...others]) {
        if (one === undefined) continue
        asked.brokenBases.add(one.base)
        asked.takenBases.add(one.base)
      }
    }
  }
  return asked
}

function isNewer(a: number[], b: number[]): boolean {
  for (let part = 0; part < 3; part++) {
    const difference = (a[part] ?? 0) - (b[part] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}

/** The version that its texts make, or why they make none. */
function versionOf(fs: MemoryFileSystem, prog: string): { spec: Spec; source: string } | string {
  const entry = at(`modules/${prog}.ts`)
  const text = fs.textOf(entry)
  if (text === undefined) return `there is no ${prog}`
  const read = readSpec(text)
  if (!read.ok) return `${prog} does not parse`
  if (read.spec === undefined) return `${prog} exports nothing`
  const texts = new Map([[entry, text]])
  for (const use of read.spec.use) {
    const path = at(`modules/${use}`).replace('/modules/..', '')
    const helper = fs.textOf(path)
    if (helper === undefined || !isHelper(helper)) return `${use} is not there or wrong`
    texts.set(path, helper)
  }
  return { spec: read.spec, source: sourceOf(texts) }
}

/** Nobody can say what such a file asks for. */
export const UNREADABLE = 'its config cannot be used'

const FATAL = ['evaluate', 'constructor', 'init', 'init_hangs', 'self_test']

/** `isLive` is how things stand: whether a need is met is judged where that need is. */
export function expected(fs: MemoryFileSystem, isLive: (api: string) => boolean, metaFile: string): ExpectedService[] {
  const meta = valuesOf(fs.textOf(at(metaFile)) ?? '')
  const defaults = (meta?.['defaults'] ?? {}) as Values
  const { wanted, brokenBases, takenBases, contested } = readConfigs(fs, defaults)
  const list: ExpectedService[] = []
  const say = (
    api: string,
    verdict: ExpectedService['verdict'],
    why: string,
    more: Partial<ExpectedService> = {},
  ): void => void list.push({ api, verdict, why, source: undefined, asks: undefined, ...more })
  for (const one of wanted.values()) {
    const asks = asksOfWanted(one)
    const version = versionOf(fs, one.prog)
    if (typeof version === 'string') {
      say(one.api, 'incumbent', version, { asks })
      continue
    }
    const { spec, source } = version
    const size = one.values['size']
    const needs = [...((one.values['needs'] as string[] | undefined) ?? []), ...spec.needs]
    const unmet = [...needs, ...(spec.asks === undefined ? [] : [spec.asks])].filter(
      (api) => api === one.api || !isLive(api),
    )
    if (spec.schema && size !== undefined && typeof size !== 'number')
      say(one.api, 'incumbent', 'the size is no number')
    else if (spec.breaks !== undefined && FATAL.includes(spec.breaks)) say(one.api, 'incumbent', `${spec.breaks} fails`)
    else if (unmet.length > 0) say(one.api, 'waits', `it needs ${unmet.join(', ')}`, { source, asks })
    else say(one.api, 'live', spec.breaks ?? '', { source, asks })
  }
  for (const api of contested) say(api, 'incumbent', 'two files claim it')
  for (const base of brokenBases)
    say(base, 'incumbent', takenBases.has(base) ? 'it wants a name it cannot have' : UNREADABLE)
  return list
}
