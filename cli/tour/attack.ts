/** The tour's attack: a module that computes for ever and wants what nobody granted, beside one that counts on. */
import { DEMO_ATTACKS } from '../demo-attacks.ts'
import { countOf, needTicker } from './live.ts'
import type { TourStep } from './steps.ts'
import { call, codeOf, serves, show, type TourWorld } from './world.ts'

const NAMES = ['loop', 'power'] as const
const ATTACKS = DEMO_ATTACKS.filter(({ name }) => (NAMES as readonly string[]).includes(name))
const apiOf = (name: string): string => `tour/${name}`

export const ATTACK_FILES = NAMES.flatMap((name) => [`modules/tour/${name}.ts`, `configs/tour/${name}.yml`])

/** The code that its caller gets. */
async function attacked(world: TourWorld, api: string): Promise<string> {
  try {
    return `value ${String(await call(world, api, 'attack'))}`
  } catch (thrown) {
    return codeOf(thrown) ?? 'callee_error'
  }
}

export const attackStep: TourStep = {
  id: 'attack',
  title: 'Let a bad module in',
  text: 'Two modules are dropped in: one computes for ever, one drops a table. Both are stopped, and the ticker misses nothing.',
  hand: 'mm demo sandbox shows six of them',
  page: 'services',
  async act(world) {
    await needTicker(world)
    for (const { name, source, sandbox } of ATTACKS) {
      await world.write(`modules/tour/${name}.ts`, source)
      await world.write(
        `configs/tour/${name}.yml`,
        `api: ${apiOf(name)}\nprog: ${apiOf(name)}\nsandbox: {${sandbox}}\n`,
      )
      await serves(world, apiOf(name))
      world.notes.set(apiOf(name), await attacked(world, apiOf(name)))
    }
  },
  async check(world) {
    const told: string[] = []
    for (const { name, contained } of ATTACKS) {
      const came = world.notes.get(apiOf(name))
      if ((await show(world, apiOf(name))) === undefined || typeof came !== 'string') return undefined
      if (!('codes' in contained) || !contained.codes.includes(came)) return undefined
      told.push(`${name} ended with ${came}`)
    }
    return `${told.join(', ')}; the ticker counts on at ${await countOf(world)}`
  },
}
