/**
 * Turns that wait for a person. A parked turn is data: what it had done, and the place of the question among its calls.
 * It is decided once, by compare-and-set, and lives on in the database for as long as its conversation.
 */
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { ChatStep, DatabaseApi, ParkedTurn, SqlRow, Usage } from '../../contracts/services.ts'
import type { ToolInfo } from '../../contracts/tool.ts'
import { coded } from '../../lib/errors.ts'
import { textOf } from './store.ts'

export const APPROVAL_TOOL = 'request_human_approval'

export const APPROVAL_INFO: ToolInfo = {
  name: APPROVAL_TOOL,
  api: 'assistant',
  method: APPROVAL_TOOL,
  description: 'Ask a person to allow something, and wait for the answer: {approved, by, note}.',
  schema: {
    type: 'object',
    properties: { question: { type: 'string', description: 'what is to be allowed, and why' } },
    required: ['question'],
    additionalProperties: false,
  },
  signature: `${APPROVAL_TOOL}(question: string)`,
}

/** As the catalogue tells its tools. */
export const APPROVAL_LINE = `### people\n- ${APPROVAL_INFO.signature}: ${APPROVAL_INFO.description}`

/** A turn as it stood when it was parked. */
export interface ParkedState {
  provider: string
  model: string
  prompt: { text: string; hash: string }
  tools: boolean
  steps: ChatStep[]
  usage: Usage | null
  asked: number
  /** of the message that asks */
  seq: number
  /** the results of the message's calls, in order; the question's own is missing */
  results: (string | null)[]
}

export interface Decision {
  approved: boolean
  by: string
  note?: string
}

export interface Approval {
  approval_id: string
  conversation_id: string
  question: string
  state: ParkedState
  decision: Decision | undefined
}

const COLUMNS = 'approval_id, conversation_id, question, asked_at, turn, decision'

export class Approvals {
  private readonly db: Handle<DatabaseApi>
  private readonly agent: string
  private readonly now: () => number

  constructor(kernel: KernelApi) {
    this.db = kernel.getApi<DatabaseApi>('database')
    this.agent = kernel.api
    this.now = () => kernel.clock.now()
  }

  /** The statement that parks a turn, to be written together with what it has done. */
  parking(approval: Omit<Approval, 'decision'>): { sql: string; params: (string | number)[] } {
    const { approval_id, conversation_id, question, state } = approval
    return {
      sql: `INSERT INTO assistant_approvals (approval_id, agent, conversation_id, question, asked_at, turn)
        VALUES (?, ?, ?, ?, ?, ?)`,
      params: [approval_id, this.agent, conversation_id, question, this.now(), JSON.stringify(state)],
    }
  }

  async list(): Promise<ParkedTurn[]> {
    const rows = await this.db.query(
      `SELECT ${COLUMNS} FROM assistant_approvals WHERE agent = ? AND decided_at IS NULL ORDER BY asked_at, rowid`,
      [this.agent],
    )
    return rows.map((row) => ({
      approval_id: textOf(row, 'approval_id'),
      conversation_id: textOf(row, 'conversation_id'),
      question: textOf(row, 'question'),
      asked_at: Number(row['asked_at']),
    }))
  }

  /** The last question of a conversation, decided or not. */
  async lastOf(conversationId: string): Promise<Approval | undefined> {
    const [row] = await this.db.query(
      `SELECT ${COLUMNS} FROM assistant_approvals WHERE agent = ? AND conversation_id = ? ORDER BY rowid DESC LIMIT 1`,
      [this.agent, conversationId],
    )
    return row && approvalOf(row)
  }

  async find(approvalId: string): Promise<Approval> {
    const [row] = await this.db.query(
      `SELECT ${COLUMNS} FROM assistant_approvals WHERE agent = ? AND approval_id = ?`,
      [this.agent, approvalId],
    )
    if (row === undefined) throw coded('approval_missing', { approval: approvalId })
    return approvalOf(row)
  }

  /** Of two who decide at once, one does. */
  async decide(approvalId: string, decision: Decision): Promise<void> {
    const { changes } = await this.db.execute(
      `UPDATE assistant_approvals SET decided_at = ?, decision = ?
       WHERE agent = ? AND approval_id = ? AND decided_at IS NULL`,
      [this.now(), JSON.stringify(decision), this.agent, approvalId],
    )
    if (changes === 1) return
    const { decision: taken } = await this.find(approvalId)
    throw coded('approval_decided', {
      approval: approvalId,
      outcome: taken?.approved === true ? 'approved' : 'denied',
      by: taken?.by ?? 'somebody',
    })
  }
}

function approvalOf(row: SqlRow): Approval {
  const { decision } = row
  return {
    approval_id: textOf(row, 'approval_id'),
    conversation_id: textOf(row, 'conversation_id'),
    question: textOf(row, 'question'),
    state: JSON.parse(textOf(row, 'turn')) as ParkedState,
    decision: typeof decision === 'string' ? (JSON.parse(decision) as Decision) : undefined,
  }
}
