"""Everyday categories in both languages, and the ImageNet classes that belong to them.

They teach the image tower the words for classes that the trunk already recognises (anchors.py).
Thirty of them are the zero-shot test (evaluate.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

# English|Chinese|measure word|ImageNet-1k class numbers
_TABLE = """
dog|狗|只|151-268
puppy|小狗|只|151-268
cat|猫|只|281-285
bird|鸟|只|7-24 80-100 127-146
rooster|公鸡|只|7
chicken|鸡|只|7 8
ostrich|鸵鸟|只|9
eagle|老鹰|只|21-23
owl|猫头鹰|只|24
peacock|孔雀|只|84
parrot|鹦鹉|只|87-90
duck|鸭子|只|97 98
goose|鹅|只|99
swan|天鹅|只|100
flamingo|火烈鸟|只|130
heron|鹭|只|131 132
pelican|鹈鹕|只|144
penguin|企鹅|只|145
fish|鱼|条|0 1 389-397
goldfish|金鱼|条|1
shark|鲨鱼|条|2-4
snake|蛇|条|52-68
lizard|蜥蜴|只|38-48
turtle|乌龟|只|33-37
frog|青蛙|只|30-32
crocodile|鳄鱼|条|49 50
spider|蜘蛛|只|72-77
scorpion|蝎子|只|71
butterfly|蝴蝶|只|321-326
beetle|甲虫|只|300-307
ladybug|瓢虫|只|301
insect|昆虫|只|300-326
bee|蜜蜂|只|309
ant|蚂蚁|只|310
grasshopper|蚱蜢|只|311
dragonfly|蜻蜓|只|319 320
snail|蜗牛|只|113
crab|螃蟹|只|118-121
lobster|龙虾|只|122-124
jellyfish|水母|只|107
starfish|海星|只|327
coral|珊瑚|片|109 973
whale|鲸鱼|条|147 148
sea lion|海狮|只|150
monkey|猴子|只|370-382
ape|猩猩|只|365-369
bear|熊|只|294-297
panda|熊猫|只|388
elephant|大象|头|101 385 386
lion|狮子|头|291
tiger|老虎|只|292
leopard|豹子|只|288-290 293
wolf|狼|只|269-271
fox|狐狸|只|277-280
rabbit|兔子|只|330-332
squirrel|松鼠|只|335
hamster|仓鼠|只|333
horse|马|匹|339
zebra|斑马|匹|340
pig|猪|头|341-343
hippo|河马|头|344
cow|牛|头|345-347
sheep|羊|只|348-350
goat|山羊|只|350
antelope|羚羊|只|351-353
camel|骆驼|头|354
kangaroo|袋鼠|只|104
koala|考拉|只|105
otter|水獭|只|360
animal|动物|只|151-157 281-297 330-388
car|汽车|辆|407 436 468 511 627 656 751 817
sports car|跑车|辆|817 751
taxi|出租车|辆|468
ambulance|救护车|辆|407
truck|卡车|辆|555 569 675 717 864 867
fire engine|消防车|辆|555
bus|公共汽车|辆|654 779 874
train|火车|列|466 547 820
tractor|拖拉机|辆|866
tank|坦克|辆|847
bicycle|自行车|辆|444 671
motorcycle|摩托车|辆|665 670
boat|船|条|472 554 576 625 724 780 814 871 914
sailboat|帆船|条|780 871 914
canoe|独木舟|条|472
ship|轮船|艘|510 628 403
airplane|飞机|架|404 895
hot air balloon|热气球|个|417
parachute|降落伞|个|701
vehicle|车辆|辆|407 436 468 511 555 569 627 654 656 675 717 751 817 864
bridge|桥|座|821 839 888
church|教堂|座|497
castle|城堡|座|483
palace|宫殿|座|698
mosque|清真寺|座|668
temple|寺庙|座|663
lighthouse|灯塔|座|437
barn|谷仓|座|425
building|建筑|座|425 483 497 498 663 668 698
shop|商店|家|415 424 454 467 509 582 788 865
restaurant|餐厅|家|762
library|图书馆|座|624
fountain|喷泉|座|562
fence|栅栏|道|489 716 912
traffic light|红绿灯|个|920
street sign|路牌|个|919
bench|长椅|张|703
bed|床|张|520 564
chair|椅子|把|423 559 765
sofa|沙发|张|831
table|桌子|张|532
desk|书桌|张|526
bookcase|书架|个|453
furniture|家具|件|423 526 532 553 559 564 765 831
bathtub|浴缸|个|435 876
toilet|马桶|个|861
refrigerator|冰箱|台|760
washing machine|洗衣机|台|897
stove|炉子|台|827
television|电视|台|851
computer|电脑|台|527 620 681
laptop|笔记本电脑|台|620 681
keyboard|键盘|个|508
phone|电话|部|487 528 707
camera|相机|台|732 759
clock|时钟|个|409 530 892
watch|手表|块|531
umbrella|雨伞|把|879
backpack|背包|个|414
handbag|手提包|个|748
hat|帽子|顶|515 808 452
helmet|头盔|个|518 560
shoes|鞋子|双|502 514 630 770 774
clothes|衣服|件|474 601 610 614 617 655 689 735 834 841 869
dress|连衣裙|条|578 601 689
jeans|牛仔裤|条|608
suit|西装|套|834
swimsuit|泳衣|件|445 639 842
sunglasses|太阳镜|副|836 837
mask|面具|个|643
cup|杯子|个|504 968
cup of coffee|咖啡|杯|504 967
teapot|茶壶|个|849
bottle|瓶子|个|440 720 737 898 907
glass of beer|啤酒|杯|441
wine|葡萄酒|瓶|907 966
bowl|碗|个|659 809
pan|平底锅|个|567
knife|刀|把|499
spoon|勺子|把|910
candle|蜡烛|支|470
lamp|台灯|盏|846
guitar|吉他|把|402 546
piano|钢琴|架|579 881
violin|小提琴|把|889
drum|鼓|面|541
saxophone|萨克斯|把|776
musical instrument|乐器|件|401 402 420 486 513 546 558 566 579 593 594 683 684 687 699 776 875 881 889
book|书|本|921
pen|笔|支|418 563
tool|工具|件|587 740 784
toy bear|玩具熊|只|850
ball|球|个|429 430 574 722 768 805 852 890
basketball|篮球|个|430
football|足球|个|805
tennis|网球|个|852
volleyball|排球|个|890
swing|秋千|个|843
skiing|滑雪|次|795
snowmobile|雪地摩托|辆|802
dog sled|狗拉雪橇|架|537
flag|旗帜|面|557
pillow|枕头|个|721
towel|毛巾|条|434
mailbox|邮箱|个|637
trash can|垃圾桶|个|412
fruit|水果|个|948-957
apple|苹果|个|948
strawberry|草莓|颗|949
orange|橙子|个|950
lemon|柠檬|个|951
pineapple|菠萝|个|953
banana|香蕉|根|954
vegetables|蔬菜|份|936-946
corn|玉米|根|987 998
mushroom|蘑菇|朵|991-997
food|食物|份|924-935 959-967
cooked food|食物|份|924 926 928-934 959-967
cooked meal|饭菜|份|924-926 935 959 962 964 965
pizza|披萨|个|963
hamburger|汉堡|个|933
hot dog|热狗|个|934
bread|面包|个|930 931
ice cream|冰淇淋|个|928 929
dessert|甜点|份|927-929 960
mountain|山|座|970 980
snowy mountain|雪山|座|970
volcano|火山|座|980
beach|海滩|片|977 978
sea|大海|片|977 978 976
lake|湖|片|975
cliff|悬崖|座|972
valley|山谷|座|979
flower|花|朵|985 986
daisy|雏菊|朵|985
field of flowers|花田|片|984
baseball player|棒球运动员|名|981
bridegroom|新郎|名|982
diver|潜水员|名|983
"""  # noqa: E501

# The zero-shot test: the same thirty categories as for version 0.
ZERO_SHOT = (
    "dog", "cat", "bird", "snake", "lizard", "turtle", "frog", "fish", "spider", "butterfly",
    "beetle", "monkey", "bear", "car", "truck", "boat", "airplane", "bicycle", "train", "fruit",
    "mushroom", "musical instrument", "computer", "chair", "clothes", "cooked food", "mountain",
    "beach", "horse", "elephant",
)  # fmt: skip


@dataclass(frozen=True)
class Category:
    english: str
    chinese: str
    measure: str
    """The Chinese measure word: 一只狗."""
    classes: tuple[int, ...]
    """ImageNet-1k class numbers."""


@cache
def everyday() -> tuple[Category, ...]:
    return tuple(_parse(line) for line in _TABLE.strip().splitlines())


def zero_shot() -> list[Category]:
    """The categories of the zero-shot test, in its order."""
    by_name = {category.english: category for category in everyday()}
    return [by_name[name] for name in ZERO_SHOT]


def _parse(line: str) -> Category:
    english, chinese, measure, ranges = line.split("|")
    numbers: list[int] = []
    for part in ranges.split():
        first, _, last = part.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return Category(english, chinese, measure, tuple(numbers))
