/** All subjects and mutations, and the text a mutation makes of its subject. Read by the benchmark and by its test. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Mutation, MutationClass, Subject, SubjectName } from './contract.ts'
import { broken } from './mutations/broken.ts'
import { contracts } from './mutations/contracts.ts'
import { good } from './mutations/good.ts'
import { hostile } from './mutations/hostile.ts'
import { more } from './mutations/more.ts'
import { patient } from './mutations/patient.ts'
import { wrong } from './mutations/wrong.ts'

const folder = new URL('./subjects/', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8')

const helpers = (...names: string[]): Record<string, string> =>
  Object.fromEntries(['pulse', ...names].map((name) => [name, read(`helpers/${name}.ts`)]))

/** Calls are recorded with the answers the subject got, models' too, as an operator sets it for a service that may be improved. */
const RECORDED = 'record: {calls: all, keep: 100, talk: true}\n'

const subject = (name: SubjectName, stateful: boolean, called: string[] = [], config = ''): Subject => ({
  name,
  source: read(`${name}.ts`),
  tests: read(`${name}.test.ts`),
  config: `prog: ${name}\n${config}${RECORDED}`,
  helpers: helpers(...called),
  stateful,
})

export const subjects: Record<SubjectName, Subject> = {
  pricing: subject('pricing', false),
  kv: subject('kv', true, ['store']),
  queue: subject('queue', true),
  cache: subject('cache', false, ['origin']),
  search: subject('search', true, ['embedder']),
  llm: subject('llm', false, ['model', 'facts']),
  scheduler: subject('scheduler', false, ['stock', 'carriers', 'calendar']),
  limits: subject('limits', false, [], 'per_second: 50\nburst: 100\nclients_max: 1000\n'),
}

export const mutations: readonly Mutation[] = [
  ...good,
  ...more,
  ...broken,
  ...wrong,
  ...contracts,
  ...hostile,
  ...patient,
]

/** How many of each class there are: half of the public weights of the plan this corpus follows. */
export const weights: Record<MutationClass, number> = {
  'G-perf': 10,
  'G-fix': 7,
  'G-extend': 6,
  N: 7,
  B1: 7,
  B2: 8,
  B3: 13,
  B4: 7,
  B5: 5,
  B6: 6,
  B7: 6,
  B8: 9,
  B9: 13,
  B10: 7,
  B11: 5,
  B12: 4,
}

export const isBad = (mutation: { class: MutationClass }): boolean => mutation.class.startsWith('B')

/** Throws when a text that is to be replaced does not occur exactly once. */
export function apply(mutation: Mutation, canary: string): string {
  const { source, config } = subjects[mutation.subject]
  let text = mutation.file === 'config' ? config : source
  for (const [from, to] of mutation.edits) {
    const parts = text.split(from)
    if (parts.length !== 2) throw new Error(`${mutation.id}: found ${parts.length - 1} times: ${from}`)
    text = parts.join(to.replaceAll('{canary}', canary))
  }
  return text
}

/** The files of the folder with the subjects. */
export const subjectFiles = (): string[] => readdirSync(folder)
