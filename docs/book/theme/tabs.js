// Turns the blocks of code in each <div class="tabs"> into tabs, and shows the chosen language on
// every page. Without JavaScript all blocks are shown, one below the other.
'use strict';

(() => {
  const NAMES = {
    sh: 'shell', c: 'C', cpp: 'C++', go: 'Go', js: 'Node', python: 'Python', rust: 'Rust',
  };
  const KEY = 'polyproc-language';
  const groups = [];

  const languageOf = (block) => block.querySelector('code').className.match(/language-(\w+)/)?.[1];

  function show(language) {
    for (const { tabs, blocks } of groups) {
      const chosen = tabs.has(language) ? language : tabs.keys().next().value;
      for (const [name, tab] of tabs) {
        tab.setAttribute('aria-selected', String(name === chosen));
        blocks.get(name).hidden = name !== chosen;
      }
    }
  }

  for (const group of document.querySelectorAll('.tabs')) {
    const blocks = new Map();
    for (const block of group.querySelectorAll(':scope > pre, :scope > .buttons + pre')) {
      blocks.set(languageOf(block), block);
    }
    const bar = document.createElement('div');
    bar.className = 'tab-bar';
    bar.setAttribute('role', 'tablist');
    const tabs = new Map();
    for (const language of blocks.keys()) {
      const tab = document.createElement('button');
      tab.type = 'button';
      tab.setAttribute('role', 'tab');
      tab.textContent = NAMES[language] ?? language;
      tab.addEventListener('click', () => {
        const before = tab.getBoundingClientRect().top;
        try {
          localStorage.setItem(KEY, language);
        } catch {
          // A browser may refuse storage to a page of a file.
        }
        show(language);
        window.scrollBy(0, tab.getBoundingClientRect().top - before); // other groups changed too
      });
      tabs.set(language, tab);
      bar.append(tab);
    }
    group.prepend(bar);
    group.classList.add('with-tabs');
    groups.push({ tabs, blocks });
  }
  let stored = null;
  try {
    stored = localStorage.getItem(KEY);
  } catch {
    // As above.
  }
  show(stored);
})();
