/** Services: the list, or the one that stands in the address. */
import type { PageProps } from '../../pages.ts'
import { List } from './list.tsx'
import { One } from './one.tsx'
import './services.css'

export default function Services({ route: { parts, query } }: PageProps) {
  const [api] = parts
  return api === undefined ? <List query={query} /> : <One key={api} api={api} tab={query['tab'] ?? 'overview'} />
}
