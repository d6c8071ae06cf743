const escaped = (text) => String(text).replaceAll(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

const form = (action, label, field) =>
  `<form method="post" action="/${action}">${field ? `<label>${label} <input name="${field}"></label>` : ''}<button>${label}</button></form>`

export function page({ title, guests, said }) {
  const items = guests.map(
    ({ id, name, host }) => `<li>${id} ${escaped(name)}${host ? `, invited by ${escaped(host)}` : ''}</li>`,
  )
  return `<!doctype html><title>${escaped(title)}</title>
<h1>${escaped(title)}</h1>
<p role="status">${escaped(said ?? '')}</p>
<ul>${items.join('')}</ul>
${form('add', 'Add', 'name')}${form('remove', 'Remove', 'id')}${form('rename', 'Rename', 'name')}
${form('later', 'Later', 'name')}${form('forget', 'Forget', 'name')}${form('clear', 'Clear')}`
}
