/**
 * The tour, where the system changes itself: a slow module, and three answers of a model that were written before. What
 * becomes of them is found, not told: one may not be, one is wrong, one is better.
 */
import { answersFor, SCRIPT, SLOW, SLOW_TESTS } from '../demo-answers.ts'
import type { TourStep } from './steps.ts'
import { call, serves, show, until, type TourWorld } from './world.ts'

const PRIMES = 'tour/primes'
const SCRIPTED = 'tour/script'
const SOURCE = 'modules/tour/primes.ts'
const ANSWERS = answersFor(SOURCE)
const GOAL = 'Answer count() in less time. Every result has to stay as it is.'
/** Calls that are recorded, so that an answer can be tried on them. */
const CALLS = 80
const CALLS_A_ROUND = 20
const ROUNDS_MAX = 40

export const IMPROVE_FILES = ['primes.ts', 'primes.test.ts', 'script.ts']
  .map((name) => `modules/tour/${name}`)
  .concat(['configs/tour/primes.yml', 'configs/tour/script.yml'])

async function needPrimes(world: TourWorld): Promise<void> {
  if ((await show(world, PRIMES)) === undefined) {
    await world.write(SOURCE, SLOW)
    await world.write('modules/tour/primes.test.ts', SLOW_TESTS)
    await world.write('modules/tour/script.ts', SCRIPT)
    await world.write('configs/tour/primes.yml', `api: ${PRIMES}\nprog: ${PRIMES}\nrecord: {calls: all, keep: 60}\n`)
  }
  await serves(world, PRIMES)
  await callPrimes(world, CALLS)
}

async function callPrimes(world: TourWorld, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await call(world, PRIMES, 'count', 2_000 + ((n * 7) % 400))
}

/** Asks for an improvement that the model answers so, and waits for what the checks say. */
async function improve(world: TourWorld, answer: keyof typeof ANSWERS): Promise<void> {
  await needPrimes(world)
  const before = (await show(world, SCRIPTED))?.generation ?? 0
  const text = `api: ${SCRIPTED}\nprog: ${SCRIPTED}\nrecord: false\nanswer: ${answer}\nanswers: ${JSON.stringify([ANSWERS[answer]])}\n`
  await world.write('configs/tour/script.yml', text)
  await serves(world, SCRIPTED, before)
  const { id } = await world.ask('POST /api/improve', {
    body: { service: PRIMES, goal: GOAL, provider: SCRIPTED, tries: 1 },
  })
  await until(world, 'the improvement to end', async () => {
    const { state } = await world.ask('GET /api/improve/{id}', { params: { id } })
    return state === 'running' ? undefined : state
  })
}

type AttemptLine = Awaited<ReturnType<typeof attempts>>[number]

async function attempts(world: TourWorld) {
  const { improvements } = await world.ask('GET /api/improve', { query: { service: PRIMES } })
  return improvements.flatMap((one) => one.attempts)
}

async function attempted(world: TourWorld, fits: (attempt: AttemptLine) => boolean): Promise<string | undefined> {
  return (await attempts(world)).find(fits)?.message
}

const HAND = `mm improve ${PRIMES} --goal "${GOAL}" --provider ${SCRIPTED} --tries 1`

const refused: TourStep = {
  id: 'refused',
  title: 'It wants to change its own judge',
  text: 'A model is asked to make a slow module quicker, and answers with a change of the policy. That is never allowed.',
  hand: HAND,
  page: 'changes',
  act: (world) => improve(world, 'gate'),
  check: (world) => attempted(world, ({ refused_by }) => refused_by === 'policy'),
}

const failed: TourStep = {
  id: 'failed',
  title: 'Quicker, and wrong',
  text: 'The next answer is quick and takes squares for primes. The calls that were recorded find the one that differs.',
  hand: HAND,
  page: 'changes',
  act: (world) => improve(world, 'wrong'),
  check: (world) => attempted(world, ({ refused_by }) => refused_by === 'replay'),
}

const passed: TourStep = {
  id: 'passed',
  title: 'Quicker, and right',
  text: 'The third answer passes every check. It does not go live: a person has to say so.',
  hand: HAND,
  page: 'inbox',
  act: (world) => improve(world, 'faster'),
  async check(world) {
    const found = await newest(world)
    return found === undefined ? undefined : `${found.id} is ${found.state}: ${found.message}`
  },
}

const LIVE = ['watching', 'confirmed']

async function newest(world: TourWorld) {
  const { changes } = await world.ask('GET /api/changes', { query: { service: PRIMES, limit: 20 } })
  return changes.find(({ actor }) => actor !== 'tour')
}

const approved: TourStep = {
  id: 'approved',
  title: 'Say yes',
  text: 'You approve it in the inbox: code that goes live wants a second yes. Then it serves, and is measured against the version before.',
  hand: 'Approve it in the inbox, twice',
  page: 'inbox',
  async act(world) {
    if ((await newest(world)) === undefined) await improve(world, 'faster')
    for (const note of ['looked at it', 'the tour shows what happens then']) {
      const now = await newest(world)
      if (now?.state !== 'waiting' || now.approval_id === null) break
      await world.ask('POST /api/approvals/{id}', {
        params: { id: now.approval_id },
        body: { approved: true, by: 'tour', note },
      })
    }
    await until(world, 'it to be live', async () => {
      const now = await newest(world)
      if (now === undefined || ['waiting', 'queued', 'applying'].includes(now.state)) return undefined
      return now.state
    })
    // It is measured on calls. Where that takes longer than the tour, it goes on behind it.
    for (let round = 0; round < ROUNDS_MAX && (await newest(world))?.state === 'watching'; round++)
      await callPrimes(world, CALLS_A_ROUND)
  },
  async check(world) {
    const now = await newest(world)
    if (now === undefined || !LIVE.includes(now.state)) return undefined
    return `${now.id} is ${now.state}: ${now.message}`
  },
}

export const improveSteps: readonly TourStep[] = [refused, failed, passed, approved]
