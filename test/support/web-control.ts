/** A root with the whole gate, one small service to be changed, and a model that answers as it was written: for the pages of what decides. */
import type { Proposal } from '../../modules/contracts/proposals.ts'
import { shortHash } from '../../modules/lib/hash.ts'
import type { Dashboard } from './browser.ts'

export const SHOP = `/** Prices of a shop. */
export class Module {
  price(count) {
    let total = 0
    for (let n = 0; n < count; n++) total += 3
    return total
  }
}
`
const SHOP_FASTER = SHOP.replace(/let total[\s\S]*return total/, 'return Math.max(0, Math.ceil(count)) * 3')
const SHOP_WRONG = SHOP.replace(/let total[\s\S]*return total/, 'return count * 4')

const answer = (title: string, text: string): string =>
  `\`\`\`json\n${JSON.stringify({ title, intent: 'one multiplication instead of a loop' })}\n\`\`\`\n\`\`\`file modules/shop.ts\n${text}\`\`\`\n`

const MODEL = `const answers = ${JSON.stringify([answer('Multiply by four', SHOP_WRONG), answer('Multiply instead of adding', SHOP_FASTER)])}
export class Module {
  asked = 0
  describe() { return { model: 'script', ready: true, note: 'answers that were written before' } }
  async complete() {
    const text = answers[Math.min(this.asked++, answers.length - 1)]
    return { text, model: 'script', finish: 'stop', usage: { input_tokens: 1, output_tokens: 1, cached_tokens: 0, cost_usd: 0.01 } }
  }
}
`

export const CONTROL_FILES: Record<string, string> = {
  'configs/control/ledger.yml': 'api: ledger\n',
  'configs/control/policy.yml':
    "api: policy\nrules: [{name: not_the_reports, tier: NEVER, path: 'modules/reports/**', message: ask Ada first}]\n",
  'configs/control/approvals.yml': 'api: approvals\n',
  'configs/control/rollouts.yml': 'api: rollouts\nwindow_ms: 3600000\nsamples_min: 20\ncheck_ms: 50\nsettle_ms: 0\n',
  'configs/control/self-improver.yml':
    'api: self-improver\nproviders: [model]\nmade_calls_max: 200\nendurance_calls_max: 500\ntests: off\ntypes: off\nlint: off\n',
  'configs/recordings.yml': 'prog: services/recordings\nwrite_ms: 20\n',
  'configs/tools.yml': 'prog: services/tools\nhooks: [policy]\n',
  'configs/filesystem.yml': 'prog: services/filesystem\n',
  'configs/config.yml': 'prog: services/workshop/config\n',
  'configs/model.yml': 'record: false\n',
  'modules/model.ts': MODEL,
  'prompts/self-improver.txt': 'goal: {{goal}}\n{{contract}}\n{{calls}}\n{{files}}\n',
  'configs/shop.yml': 'prog: shop\nrecord: {calls: all}\ndiscount: 10\n',
  'modules/shop.ts': SHOP,
}

/** A change of one file, as a script posts it: of the system's own, so it is judged. */
export async function propose(
  { root, system }: Dashboard,
  path: string,
  text: string,
  more: object = {},
): Promise<Proposal> {
  const { status, body } = await system.api<Proposal>('POST', '/api/changes', {
    origin: 'self',
    actor: 'improver',
    service: 'shop',
    title: `change ${path}`,
    intent: 'make it better',
    edits: [{ path, base_hash: shortHash(root.read(path)), text }],
    ...more,
  })
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body
}
