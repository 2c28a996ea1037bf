'use strict';
/* Keeps a page of registrations up to date without moving it: rows and cells that are the same are left alone, so
   selection, focus and scroll stay. Everything works without this file, by the "Refresh" link. */
{
  const bar = document.getElementById('selfreg-refresh');
  const seconds = bar ? Number(bar.dataset.seconds) : 0;

  /* -- the selection of the list (instead of Django's own script, which does not know of new rows) */

  const boxes = () => Array.from(document.querySelectorAll('#result_list input.action-select'));

  function showSelection() {
    const all = boxes();
    const chosen = all.filter((box) => box.checked);
    all.forEach((box) => box.closest('tr').classList.toggle('selected', box.checked));
    const toggle = document.getElementById('action-toggle');
    if (toggle) {
      toggle.checked = all.length > 0 && chosen.length === all.length;
      toggle.indeterminate = chosen.length > 0 && !toggle.checked;
    }
    const counter = document.querySelector('span.action-counter');
    if (counter) {
      counter.textContent = `${chosen.length} / ${all.length}`;
    }
  }

  document.addEventListener('change', (event) => {
    if (event.target.id === 'action-toggle') {
      boxes().forEach((box) => { box.checked = event.target.checked; });
    }
    if (event.target.closest('#result_list')) {
      showSelection();
    }
  });
  window.addEventListener('pageshow', showSelection);

  /* -- putting what is new in place */

  const key = (row) => row.querySelector('a[href]')?.getAttribute('href') ?? row.textContent;

  function updateRow(row, fresh) {
    Array.from(fresh.cells).forEach((cell, index) => {
      const old = row.cells[index];
      if (!cell.querySelector('input.action-select') && old.innerHTML !== cell.innerHTML) {
        old.innerHTML = cell.innerHTML;
      }
    });
  }

  function updateRows(old, fresh) {
    const body = old.querySelector('tbody');
    const freshBody = fresh.querySelector('tbody');
    if (!body || !freshBody) {
      replace(old, fresh);
      return;
    }
    const known = new Map(Array.from(body.rows, (row) => [key(row), row]));
    Array.from(freshBody.rows).forEach((row, index) => {
      const present = known.get(key(row));
      known.delete(key(row));
      if (present) {
        updateRow(present, row);
      }
      const shown = present ?? document.importNode(row, true);
      shown.classList.toggle('selfreg-new', !present);
      if (body.rows[index] !== shown) {
        body.insertBefore(shown, body.rows[index] ?? null);
      }
    });
    known.forEach((row) => row.remove());
    showSelection();
  }

  const shown = new WeakMap();

  /* What is open or focused stays so: only what the server changed is replaced. */
  function replace(old, fresh) {
    const html = fresh.innerHTML;
    if ((shown.get(old) ?? old.innerHTML) === html) {
      shown.set(old, html);
      return;
    }
    const focused = old.contains(document.activeElement) ? document.activeElement.id : '';
    const open = Array.from(old.querySelectorAll('details[open][id]'), (details) => details.id);
    old.innerHTML = html;
    shown.set(old, html);
    open.forEach((id) => document.getElementById(id)?.setAttribute('open', ''));
    if (focused) {
      document.getElementById(focused)?.focus({preventScroll: true});
    }
  }

  function show(fresh) {
    document.querySelectorAll('[data-live]').forEach((old) => {
      const found = fresh.getElementById(old.id);
      if (found) {
        (old.dataset.live === 'rows' ? updateRows : replace)(old, found);
      }
    });
  }

  /* -- when */

  if (seconds > 0) {
    const text = bar.querySelector('.selfreg-live-text');
    const pause = bar.querySelector('.selfreg-pause');
    pause.hidden = false;
    bar.querySelector('.selfreg-live-every').hidden = false;
    pause.addEventListener('click', () => {
      pause.setAttribute('aria-pressed', String(pause.getAttribute('aria-pressed') !== 'true'));
    });
    const refresh = async () => {
      if (document.hidden || pause.getAttribute('aria-pressed') === 'true') {
        return;
      }
      try {
        const answer = await fetch(window.location.href, {credentials: 'same-origin', redirect: 'error'});
        if (!answer.ok) {
          throw new Error(String(answer.status));
        }
        show(new DOMParser().parseFromString(await answer.text(), 'text/html'));
        bar.dataset.state = 'fresh';
        text.textContent = `${bar.dataset.at} ${new Date().toLocaleTimeString()}.`;
      } catch {
        bar.dataset.state = 'lost';
        text.textContent = bar.dataset.lost;
      }
    };
    const again = async () => {
      await refresh();
      window.setTimeout(again, seconds * 1000);
    };
    window.setTimeout(again, seconds * 1000);
  }
}
