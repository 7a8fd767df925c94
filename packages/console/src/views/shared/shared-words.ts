import { defineWords } from '../../words/define-words.ts';

export const sharedWords = defineWords({
  en: {
    title: 'Results of «{title}»',
    'kept-until': 'Somebody has shared these results with you. They are kept until {time}.',
    gone: 'This link is no longer good',
    'gone-hint': 'It has expired, or its results are no longer kept. Ask who gave it to you for a new one.',
    'not-yet': 'It is not done yet',
    'not-yet-hint': 'The results appear here by themselves.',
    failed: 'This job gave no results.',
    'download-all': 'Download all {count} (zip)',
  },
  ko: {
    title: '«{title}» 결과',
    'kept-until': '공유받은 결과입니다. {time}까지 보관됩니다.',
    gone: '더 이상 유효하지 않은 링크입니다',
    'gone-hint':
      '링크가 만료되었거나 결과가 더 이상 보관되어 있지 않습니다. 링크를 보낸 사람에게 새 링크를 요청하세요.',
    'not-yet': '아직 끝나지 않았습니다',
    'not-yet-hint': '결과는 여기에 저절로 나타납니다.',
    failed: '이 작업은 결과를 내지 못했습니다.',
    'download-all': '{count}개 모두 내려받기 (zip)',
  },
});
