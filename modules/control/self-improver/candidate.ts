/**
 * A proposed change as the checks see it: the edits, the services they reach, and each of these as it serves now. Built
 * once for a gate; asks the kernel, which reads and plans and changes nothing.
 */
import type { ErrorData } from '../../contracts/errors.ts'
import type { KernelServiceApi, PlannedChange, ServiceDetail, ServiceSource } from '../../contracts/kernel.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { DeclaredChange, ProposedEdit } from '../../contracts/proposals.ts'
import { coded } from '../../lib/errors.ts'

/** One service the change reaches. */
export interface Subject {
  api: string
  detail: ServiceDetail
  /** why it would be refused, as far as the kernel's plan tells */
  refusal: ErrorData | null
  /** path from the root → text, of the version that serves */
  before: Readonly<Record<string, string>>
  /** the same with the edits */
  after: Readonly<Record<string, string>>
}

export interface Candidate {
  edits: readonly ProposedEdit[]
  actor: string
  subjects: Subject[]
  /** path → text, as trials take them */
  texts: Readonly<Record<string, string | null>>
  /** where it means to answer otherwise */
  changes: readonly DeclaredChange[]
  /** a setting changes, and no code: what serves is built anew from the same source */
  codeOnly: boolean
}

const CODE = /\.([cm]?[tj]s|json)$/

export const isTest = (path: string): boolean => /(^test\/|\.(test|spec)\.[cm]?[tj]s$)/.test(path)

export async function readCandidate(
  kernel: KernelApi,
  edits: readonly ProposedEdit[],
  { actor, service, changes }: { actor: string; service?: string | undefined; changes: readonly DeclaredChange[] },
): Promise<Candidate> {
  const system = kernel.getApi<KernelServiceApi>('kernel')
  const plan = await system.plan(edits.map(({ path, text }) => ({ path, text })))
  const reached = plan.filter(({ change }) => change !== 'none')
  const named = service === undefined || reached.some(({ api }) => api === service) ? [] : [service]
  const subjects: Subject[] = []
  for (const api of [...reached.map((one) => one.api), ...named]) {
    const planned = reached.find((one) => one.api === api)
    const subject = await readSubject(system, api, edits, planned)
    if (subject !== undefined) subjects.push(subject)
  }
  const texts = Object.fromEntries(edits.map(({ path, text }) => [path, text]))
  return { edits, actor, subjects, texts, changes, codeOnly: edits.every(({ path }) => CODE.test(path)) }
}

async function readSubject(
  system: Handle<KernelServiceApi>,
  api: string,
  edits: readonly ProposedEdit[],
  planned: PlannedChange | undefined,
): Promise<Subject | undefined> {
  const detail = await system.show(api).catch(() => undefined)
  // A service that is not there yet has nothing to be compared with.
  if (detail === undefined) return undefined
  if (planned === undefined && detail.generation === null) throw coded('service_stopped', { api })
  const source: ServiceSource = await system.source(api, 'live')
  const before = Object.fromEntries(Object.entries(source.files).filter(([path]) => CODE.test(path)))
  const after: Record<string, string> = { ...before }
  for (const { path, text } of edits) {
    if (!CODE.test(path) || isTest(path)) continue
    if (text !== null) after[path] = text
    else Reflect.deleteProperty(after, path)
  }
  return { api, detail, refusal: planned?.error ?? null, before, after }
}
