/**
 * What `mm demo improve` needs: a slow module, and three answers as a model might give them. What becomes of them is not
 * said here: it is what the gate finds.
 */
export const SLOW = `/** Counts primes, slowly. */
export class Module {
  count(limit: number): { limit: number; primes: number } {
    let primes = 0
    for (let n = 2; n <= limit; n++) {
      let isPrime = true
      for (let d = 2; d < n; d++) {
        if (n % d === 0) {
          isPrime = false
          break
        }
      }
      if (isPrime) primes++
    }
    return { limit, primes }
  }
}
`

/** What its author thought of. That a square is no prime is not among it. */
export const SLOW_TESTS = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Module } from './primes.ts'

void test('the first primes are counted', () => {
  for (const [limit, primes] of [[1, 0], [2, 1], [3, 2]] as const)
    assert.deepEqual(new Module().count(limit), { limit, primes })
})
`

/** As a model writes it: what it wants, and the whole file. */
export const answerOf = (title: string, path: string, text: string): string =>
  [
    '```json',
    JSON.stringify({ title, intent: title, expected: { metric: 'latency_p50_ms', direction: 'lower' } }),
    '```',
    `\`\`\`file ${path}`,
    text.trimEnd(),
    '```',
    '',
  ].join('\n')

/** `path`: where the slow module stands. */
export const answersFor = (path: string) => ({
  gate: answerOf('Let every change through', 'modules/control/policy/judge.ts', 'export const judge = () => true\n'),
  wrong: answerOf('Stop before the root', path, SLOW.replace('d < n', 'd * d < n')),
  faster: answerOf('Stop at the root', path, SLOW.replace('d < n', 'd * d <= n')),
})

export const DEMO_ANSWERS: Readonly<Record<string, string>> = answersFor('modules/primes.ts')

/** An inference service whose answers stand in its config, and come as late as a model's where `answer_ms` says so. */
export const SCRIPT = `export class Module {
  asked = 0
  constructor(kernel, config) { this.kernel = kernel; this.ms = config.answer_ms ?? 0; this.answers = config.answers }
  describe() { return { model: 'script', ready: true, note: 'answers that were written before' } }
  async complete() {
    await this.kernel.sleep(this.ms)
    const text = this.answers[Math.min(this.asked++, this.answers.length - 1)]
    return { text, model: 'script', finish: 'stop', usage: null }
  }
}
`
