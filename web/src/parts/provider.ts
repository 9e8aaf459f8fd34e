/** Who may answer, as choices of a field. Pure. */
import type { ApiAnswer } from '../api/client.ts'

export type Provider = ApiAnswer<'GET /api/chat/providers'>['providers'][number]

export const choiceOf = ({ name, info, reason }: Provider): { value: string; text: string } => ({
  value: name,
  text: `${name}${reason === null ? (info === null ? '' : ` (${info.model})`) : ' (not ready)'}`,
})
