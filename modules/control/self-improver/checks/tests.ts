/**
 * Do the module's own tests pass? Those beside it, which no change may touch, and those the change brings. Each file runs in
 * a sandbox of its own. A test that fails with the version that serves too is not blamed on the change. Where there are no
 * tests and none are brought, nobody but its calls says what a module is for: refused, unless the config takes that.
 */
import type { KernelApi } from '../../../contracts/module.ts'
import type { Trial } from '../../../contracts/trial.ts'
import { coded, codeOf, describeError, toErrorData } from '../../../lib/errors.ts'
import { inTime } from '../bench.ts'
import type { Candidate, Subject } from '../candidate.ts'
import { failed, passed, skipped, type ServiceCheck, type SubjectInput, type Verdict } from '../check.ts'
import { ownTests, testWorld, type Texts } from '../own-tests.ts'
import type { TestReport } from '../test-api/test.ts'

const LIMITS = { cpu_ms: 5_000, memory_mb: 64 }
const TOLD_MAX = 5

export const testsCheck: ServiceCheck = {
  name: 'tests',
  of: 'service',
  async run(input) {
    const { kernel, config, candidate, subject } = input
    if (!hasNewCode(subject)) return skipped('its code stays as it is')
    const { there, brought } = ownTests(kernel.paths.root, subject, candidate)
    const count = Object.keys(there).length + Object.keys(brought).length
    if (count === 0) {
      if (config.tests === 'when_there') return skipped('it has no tests beside it')
      return failed(
        `it has no tests: bring some beside it, as ${exampleOf(subject)}, with \`node:test\` and \`node:assert/strict\``,
      )
    }
    if (count > config.test_files_max)
      return failed(`it has ${count} test files; at most ${config.test_files_max} are run (\`test_files_max\`)`)
    const runs: Run[] = []
    for (const [path, text] of Object.entries(brought)) runs.push(await runBrought(input, path, text))
    for (const [path, text] of Object.entries(there)) runs.push(await runThere(input, path, text))
    return judge(runs)
  },
}

const hasNewCode = ({ before, after }: Subject): boolean => {
  const paths = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...paths].some((path) => before[path] !== after[path])
}

const exampleOf = ({ detail }: Subject): string => (detail.source_file ?? '').replace(/\.[^.]+$/, '.test.ts')

interface Run {
  path: string
  passed: number
  /** `name: why`, of those that the change has to answer for */
  failed: string[]
  /** that failed before as well, or cannot run in a sandbox */
  excused: string[]
}

async function runBrought(input: SubjectInput, path: string, text: string): Promise<Run> {
  const told = await runFile(input, path, text, input.candidate.texts)
  if ('error' in told) return { path, passed: 0, failed: [`${path}: ${told.error}`], excused: [] }
  const { results, assertions } = told.report
  const broken = failuresOf(told.report)
  const ran = results.filter(({ skipped: left, error }) => !left && error === null).length
  if (broken.length === 0 && ran === 0) return { path, passed: 0, failed: [`${path} holds no test`], excused: [] }
  if (broken.length === 0 && assertions === 0)
    return { path, passed: 0, failed: [`${path} asserts nothing`], excused: [] }
  return { path, passed: ran, failed: broken.map(([name, why]) => `${name}: ${why}`), excused: [] }
}

async function runThere(input: SubjectInput, path: string, text: string): Promise<Run> {
  const told = await runFile(input, path, text, judgedTexts(input))
  const broken = 'error' in told ? [[path, told.error] as const] : failuresOf(told.report)
  const ran = 'error' in told ? 0 : told.report.results.filter((one) => !one.skipped && one.error === null).length
  if (broken.length === 0) return { path, passed: ran, failed: [], excused: [] }
  const was = await runFile(input, path, text, {})
  if ('error' in was) {
    // Nothing of this file runs here, whoever wrote the code: people are told.
    if ('error' in told) return { path, passed: 0, failed: [], excused: [`${path}: ${was.error}`] }
    return { path, passed: ran, failed: [], excused: broken.map(([name]) => name) }
  }
  const known = new Set(failuresOf(was.report).map(([name]) => name))
  return {
    path,
    passed: ran,
    failed: broken.filter(([name]) => !known.has(name)).map(([name, why]) => `${name}: ${why}`),
    excused: broken.filter(([name]) => known.has(name)).map(([name]) => name),
  }
}

/** What only tests import is no part of the service: a change of it does not reach the tests that were there. */
function judgedTexts({ candidate, subject }: SubjectInput): Candidate['texts'] {
  const foreign = candidate.edits.filter(
    ({ path, base_hash }) => base_hash !== null && !Object.hasOwn(subject.before, path),
  )
  const texts = { ...candidate.texts }
  for (const { path } of foreign) Reflect.deleteProperty(texts, path)
  return texts
}

const failuresOf = ({ results }: TestReport): [name: string, why: string][] =>
  results.flatMap(({ name, error }) => (error === null ? [] : [[name, error]]))

type Told = { report: TestReport } | { error: string }

/** Rejects with what says nothing about the code: a machine that is busy. */
async function runFile(input: SubjectInput, path: string, text: string, texts: Candidate['texts']): Promise<Told> {
  const { kernel, config } = input
  let trial: Trial | undefined
  try {
    trial = await tried(kernel, input.subject.api, { path, text, texts })
    const report = await inTime(kernel, config.tests_ms, trial.call('default', 'runTests', []), `the tests of ${path}`)
    return { report: report as TestReport }
  } catch (thrown) {
    if (codeOf(thrown) === 'sandbox_full' || codeOf(thrown) === 'stopped') throw thrown
    return { error: describeError(toErrorData(thrown)) }
  } finally {
    await trial?.end()
  }
}

async function tried(
  kernel: KernelApi,
  api: string,
  { path, text, texts }: { path: string; text: string; texts: Texts | Candidate['texts'] },
): Promise<Trial> {
  const world = testWorld(path, text)
  return kernel.tryVersion({
    api,
    version: 'live',
    sandbox: true,
    limits: LIMITS,
    texts: { ...texts, ...world.texts },
    entry: world.entry,
    answer: ({ api: asked, method }) => Promise.reject(coded('replay_unanswered', { api: asked, method })),
  })
}

function judge(runs: readonly Run[]): Verdict {
  const all = <Key extends 'failed' | 'excused'>(key: Key): string[] => runs.flatMap((run) => run[key])
  const [broken, excused] = [all('failed'), all('excused')]
  const count = runs.reduce((sum, run) => sum + run.passed, 0)
  const details = { files: runs.map(({ path }) => path), passed: count, excused: excused.slice(0, 20) }
  if (broken.length > 0) {
    const more = broken.length > TOLD_MAX ? `, and ${broken.length - TOLD_MAX} more` : ''
    return failed(`its tests fail: ${broken.slice(0, TOLD_MAX).join('; ')}${more}`, details)
  }
  const aside =
    excused.length === 0
      ? ''
      : `; not judged, as they fail without the change too: ${excused.slice(0, TOLD_MAX).join('; ')}`
  if (count === 0) return skipped(`none of its tests can be run here${aside}`, details)
  return passed(`${count} tests of ${runs.length} files pass${aside}`, details)
}
