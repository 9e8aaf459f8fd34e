/** Several services of one module under one name: who answers, what is passed on, who is left out, what a new version brings. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const text = (extra = ''): string => `export class Module {
  constructor(kernel) { this.kernel = kernel; this.open = [] }
  who() { return this.kernel.api }
  slow() { return new Promise((resolve) => this.open.push(() => resolve(this.kernel.api))) }
  end() { for (const end of this.open.splice(0)) end() }
  async add(a, b) { if (b === 0) throw Object.assign(new Error('nothing to add'), { code: 'nothing' }); return a + b }
  async *count(to) { for (let n = 1; n <= to; n++) yield n }
  fall() { this.kernel.spawn('fall', () => { throw new Error('it fell') }) }
  ${extra}
}
`

interface Shop {
  who(): string
  slow(): Promise<string>
  end(): void
  add(a: number, b: number): Promise<number>
  count(to: number): AsyncGenerator<number>
  fall(): void
  more(): string
}

let system: TestSystem
beforeEach(async () => {
  system = await startSystem({
    'configs/shop.yml': 'prog: services/balancer\nneeds: [shop_1, shop_2]\nservices: [shop_1, shop_2]\n',
    'configs/shop_1.yml': 'prog: shop\nrestart: false\n',
    'configs/shop_2.yml': 'prog: shop\nrestart: false\n',
    'modules/shop.mjs': text(),
  })
})
afterEach(() => system.stop())

const shop = (api = 'shop') => system.getApi<Shop>(api)

it('a call goes to the one with fewer under way, and each of them to one only', async () => {
  const open = [shop().slow(), shop().slow()]
  for (const api of ['shop_1', 'shop_2']) expect((await system.show(api)).in_flight).toBe(1)
  await shop('shop_1').end()
  expect(await Promise.race(open)).toBe('shop_1')
  for (let call = 0; call < 3; call++) expect(await shop().who()).toBe('shop_1')
  await shop('shop_2').end()
  expect(await Promise.all(open)).toEqual(['shop_1', 'shop_2'])
  const both = [await shop().who(), await shop().who()]
  expect(both.toSorted()).toEqual(['shop_1', 'shop_2'])
})

it('arguments, errors and streams are those of the service that answers', async () => {
  expect(await shop().add(1, 2)).toBe(3)
  expect(await rejection(shop().add(1, 0))).toMatchObject({ code: 'nothing', message: 'nothing to add' })
  const read: number[] = []
  for await (const n of shop().count(3)) read.push(n)
  expect(read).toEqual([1, 2, 3])
  const [mine, its] = [await system.show('shop'), await system.show('shop_1')]
  expect(mine.methods).toEqual(its.methods)
})

it('one that is off is left out, and takes calls again when it is back', async () => {
  await shop('shop_1').fall()
  await system.happened('service.tripped')
  for (let call = 0; call < 4; call++) expect(await shop().who()).toBe('shop_2')
  await system.reload('shop_1')
  const both = [await shop().who(), await shop().who()]
  expect(both.toSorted()).toEqual(['shop_1', 'shop_2'])
})

it('what a new version of theirs offers is offered too', async () => {
  await rejection(shop().more())
  const anew = system.event('service.live', ({ api }) => api === 'shop')
  system.root.write('modules/shop.mjs', text(`more() { return 'more' }`))
  await anew
  expect(await shop().more()).toBe('more')
})

it('without services, or with one, it is refused with what is wanted', async () => {
  const [serving] = [(await system.show('shop')).generation]
  for (const services of ['', 'services: [shop_1]\n']) {
    system.root.write('configs/shop.yml', `prog: services/balancer\nneeds: [shop_1, shop_2]\n${services}`)
    const { ok, error } = await system.reload('shop')
    expect([ok, error?.code, error?.message]).toEqual([false, 'config_invalid', expect.stringContaining('services')])
  }
  expect((await system.show('shop')).generation).toBe(serving)
})
