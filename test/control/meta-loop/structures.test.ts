/** Which services may be doubled or switched off, and what their configs would say then. */
import { expect, it } from 'vitest'
import type { EffectiveConfig, ServiceDetail, ServiceStatus } from '../../../modules/contracts/kernel.ts'
import {
  doubled,
  retired,
  whyNotDoubled,
  whyNotRetired,
  type Standing,
} from '../../../modules/control/meta-loop/structures.ts'
import { uncalledNow } from '../../../modules/control/meta-loop/uncalled.ts'

const shop = {
  api: 'shop',
  prog: 'shop',
  state: 'live',
  tools: [],
  owned: [],
  aspects: ['default'],
  needs: [],
  description: null,
  domain: null,
} as unknown as ServiceDetail
const other = (more: Partial<ServiceStatus>): ServiceStatus => ({ ...shop, api: 'other', ...more })
const standing = (detail: Partial<ServiceDetail> = {}, more: Partial<Standing> = {}): Standing => ({
  detail: { ...shop, ...detail },
  role: 'productive',
  plan: { mode: 'overlap', state: 'lost' },
  others: [],
  configs: [],
  ...more,
})
const OWNED = { label: 'every 5 s', kind: 'owned', age_ms: 1 } as const
const TOOL = { name: 'sell', description: 'Sell.', schema: {} }

it('a plain service that answers calls may be doubled and switched off', () => {
  expect([whyNotDoubled(standing()), whyNotRetired(standing())]).toEqual([undefined, undefined])
})

it('what a second one would do twice, would not know, or could not be, is not doubled', () => {
  const spread = other({ prog: 'services/balancer', needs: ['shop'] })
  for (const [one, reason] of [
    [standing({}, { role: 'system' }), 'watches'],
    [standing({ prog: 'control/policy' }), 'judges'],
    [standing({ state: 'tripped' }), 'it is tripped'],
    [standing({ owned: [OWNED] }), 'every 5 s'],
    [standing({ prog: 'services/balancer' }), 'spread already'],
    [standing({}, { others: [spread] }), 'spread already'],
    [standing({ prog: 'inference/openai' }), 'a model'],
    [standing({ tools: [TOOL] }), 'tools'],
    [standing({ aspects: ['default', 'admin'] }), 'aspect admin'],
    [standing({}, { plan: { mode: 'quiesce', state: 'carried' } }), 'keeps state'],
    [standing({}, { plan: { mode: 'exclusive', state: 'lost' } }), 'side by side'],
    [standing({}, { others: [other({ api: 'shop_2' })] }), 'there is a shop_2 already'],
  ] as const)
    expect([reason, whyNotDoubled(one)]).toEqual([reason, expect.stringContaining(reason)])
})

it('what another needs, names, or what works by itself, is not switched off', () => {
  const whole = { api: 'other', file: 'configs/other.yml', prog: 'other', shadowed: [], error: null }
  const config = (values: EffectiveConfig['values']): EffectiveConfig => ({ ...whole, values })
  const naming = config([{ key: 'shops', value: [{ first: 'shop' }], origin: 'file' }])
  const watching = { ...naming, prog: 'control/meta-loop' }
  const others = config([{ key: 'shops', value: ['shop_1', { shop: 2 }], origin: 'file' }])
  for (const [one, reason] of [
    [standing({}, { others: [other({ needs: ['shop'] })] }), 'other needs it'],
    [standing({}, { configs: [naming] }), 'the config of other names it'],
    [standing({ owned: [OWNED] }), 'every 5 s'],
    [standing({}, { role: 'system' }), 'watches'],
    [standing({ state: 'waiting' }), 'it is waiting'],
  ] as const)
    expect([reason, whyNotRetired(one)]).toEqual([reason, expect.stringContaining(reason)])
  expect(whyNotRetired(standing({}, { configs: [others, watching] }))).toBeUndefined()
})

it('the texts are made from the config as it is: comments and values stay', () => {
  const text = '# of Ada\napi: shop\nlimits: {drain_ms: 5} # long enough\n'
  const [front, first, second] = doubled({ ...shop, domain: 'sales' }, { file: 'configs/a/shop-v2.yml', text })
  expect(front).toMatchObject({ path: 'configs/a/shop-v2.yml', before: text })
  expect(front?.text).toBe(`# Each call of shop goes to the one of these that has fewer under way; both run shop.
api: shop
prog: services/balancer
domain: sales
needs:
  - shop_1
  - shop_2
services:
  - shop_1
  - shop_2
`)
  expect(first).toEqual({
    path: 'configs/a/shop_1.yml',
    before: null,
    text: `${text.replace('api: shop', 'api: shop_1')}prog: shop\n`,
  })
  expect(second?.path).toBe('configs/a/shop_2.yml')
  expect(retired('configs/shop.yml', 'enabled: true # for now\n').text).toBe('enabled: false # for now\n')
})

it('nobody calls it since its count was first seen to be what it is', () => {
  const looks = [3, 3, 4, 4].map((calls) => [{ api: 'shop', calls }])
  let known = {}
  const since = looks.map((services, at) => {
    known = uncalledNow(known, services, at)
    return known
  })
  expect(since.map((one) => (one as Record<string, { since: number }>)['shop']?.since)).toEqual([0, 0, 2, 2])
  expect(uncalledNow(known, [], 9)).toEqual({})
})
