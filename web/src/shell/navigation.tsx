/** The navigation: the table of pages, in groups. On a phone it is opened by the button in the header. */
import { signal } from '@preact/signals'
import { GROUPS, PAGES, type PageInfo } from '../pages.ts'
import { hrefOf, route } from '../route.ts'

export const isMenuOpen = signal(false)

export function Navigation() {
  const here = PAGES.find(({ id }) => id === route.value.page) ?? PAGES[0]
  return (
    <nav class={isMenuOpen.value ? 'navigation is-open' : 'navigation'} aria-label="Pages">
      {GROUPS.filter(({ pages }) => pages.length > 0).map(({ title, pages }) => (
        <section key={title}>
          <h2>{title}</h2>
          <ul>
            {pages.map((page) => (
              <li key={page.id}>
                <Link page={page} isHere={page.id === here?.id} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  )
}

function Link({ page: { id, title, key, count }, isHere }: { page: PageInfo; isHere: boolean }) {
  const number = count?.() ?? 0
  return (
    <a
      href={hrefOf(id)}
      aria-current={isHere ? 'page' : undefined}
      title={`g ${key}`}
      onClick={() => (isMenuOpen.value = false)}
    >
      {title}
      {number > 0 && <span class="count">{number}</span>}
    </a>
  )
}
