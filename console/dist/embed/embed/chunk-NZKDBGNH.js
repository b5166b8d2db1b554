import{b as p,c as $,d as c}from"./chunk-UF6JPII4.js";import{c as u}from"./chunk-DECV6T3U.js";function k(h,d=!1){let s=h.map(n=>u(n)?Number(n):Number.NaN),e=s.filter(n=>Number.isFinite(n));if(e.length<2)return c;let o=Math.min(...e),t=Math.max(...e),r=o>=0&&o>t*.6?t*.4:o,f=n=>t===r?50:96-(n-r)/(t-r)*92,g=n=>n/(s.length-1)*100,i=s.map((n,a)=>[g(a),f(n)]).filter(([,n])=>Number.isFinite(n)),m=i.map(([n,a],x)=>`${x?"L":"M"}${n.toFixed(2)} ${a.toFixed(2)}`).join(""),[l,b]=i.at(-1);return p`<svg class="spark" aria-hidden="true">
    <svg viewBox="0 0 100 100" preserveAspectRatio="none">
      ${d?$`<path class="under" d="${m}L${l} 100L${i[0][0]} 100Z" />`:c}
      <path class="line" d=${m} />
    </svg>
    <circle cx="${l}%" cy="${b}%" r="2.5" />
  </svg>`}export{k as a};
