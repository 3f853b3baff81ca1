"""The ImageNet classes: right order, one name each, in two languages."""

import csv
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from kkcv.errors import RequestError
from kkcv.zoo.labels import LANGUAGES, Label, imagenet_labels

CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")

# Words that Chinese itself writes with a Latin letter.
WITH_LATIN_LETTERS = {"iPod播放器", "T恤衫", "福特T型车"}

# Simplified characters of zoology, geography and architecture that GB 2312 is too old for.
BEYOND_GB2312 = set("鱥鹀鸮蠵鹟䴕鳽狆㹴獴羱鲉鲀窣")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def repeated(names: list[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def test_there_are_1000_classes_in_the_order_of_the_scores():
    assert [label.index for label in imagenet_labels()] == list(range(1000))


def test_the_wordnet_ids_are_imagenet_s(shared):
    known = rows_of(shared / "reference" / "imagenet_classes.csv")

    ours = [(label.index, label.wnid) for label in imagenet_labels()]

    assert ours == [(int(row["class_index"]), row["wnid"]) for row in known]


def test_the_sample_pictures_have_the_same_classes(shared):
    pictures = rows_of(shared / "data" / "imagenet_sample_300" / "labels.csv")

    assert len(pictures) == 300
    for row in pictures:
        assert imagenet_labels()[int(row["class_index"])].wnid == row["wnid"]


def test_each_english_name_occurs_once_whatever_its_case():
    assert repeated([label.name.lower() for label in imagenet_labels()]) == []


def test_each_chinese_name_occurs_once():
    assert repeated([label.name_zh for label in imagenet_labels()]) == []


def test_english_names_are_plain_text_that_a_keyboard_has():
    for label in imagenet_labels():
        assert re.fullmatch(r"[A-Za-z]+([ '-]+[A-Za-z]+)*( \([A-Za-z -]+\))?", label.name), label


def test_english_names_are_short():
    assert max(len(label.name) for label in imagenet_labels()) <= 32


def test_chinese_names_are_chinese():
    for label in imagenet_labels():
        if label.name_zh not in WITH_LATIN_LETTERS:
            assert CHINESE.fullmatch(label.name_zh), label


def test_chinese_names_are_in_simplified_characters():
    for label in imagenet_labels():
        characters = set(label.name_zh) - BEYOND_GB2312
        "".join(characters).encode("gb2312")  # raises for a traditional character


# fmt: off
TWINS = [
    (134, "crane (bird)", "鹤"),                      (517, "crane (machine)", "起重机"),
    (638, "maillot (tights)", "紧身衣"),  (639, "maillot (one-piece swimsuit)", "女式连体泳衣"),
    (264, "Cardigan Welsh corgi", "卡迪根威尔士柯基犬"),  (474, "cardigan (sweater)", "开襟毛衣"),
    (836, "sunglass", "墨镜"),                        (837, "sunglasses", "太阳镜"),
    (657, "missile", "导弹"),                         (744, "projectile", "射弹"),
    (435, "bathtub", "浴缸"),                         (876, "tub (vat)", "大桶"),
    (664, "computer monitor", "显示器"),               (782, "display screen", "显示屏"),
    (620, "laptop", "膝上型电脑"),                     (681, "notebook computer", "笔记本电脑"),
    (987, "corn", "玉米"),                            (998, "ear of corn", "玉米穗"),
    (281, "tabby cat", "虎斑猫"),                      (282, "tiger cat", "虎纹猫"),
    (461, "breastplate", "胸甲"),                     (524, "cuirass", "胸背甲"),
    (428, "wheelbarrow", "独轮手推车"),                (880, "unicycle", "独轮车"),
    (536, "dock", "码头"),                            (718, "pier", "栈桥"),
    (387, "red panda", "小熊猫"),                      (388, "giant panda", "大熊猫"),
]
# fmt: on


@pytest.mark.parametrize(("index", "name", "name_zh"), TWINS)
def test_classes_that_are_easily_confused_are_told_apart(index, name, name_zh):
    label = imagenet_labels()[index]

    assert (label.name, label.name_zh) == (name, name_zh)


@pytest.mark.parametrize(
    ("wnid", "name", "name_zh"),
    [
        ("n01682714", "green anole", "绿安乐蜥"),  # no chameleon: Anolis carolinensis
        ("n01689811", "alligator lizard", "短吻鳄蜥"),  # 鳄蜥 alone is Shinisaurus
        ("n01697457", "Nile crocodile", "尼罗鳄"),  # Crocodylus niloticus
        ("n01774750", "tarantula", "捕鸟蛛"),  # 狼蛛 is the wolf spider
        ("n02012849", "crane (bird)", "鹤"),
        ("n02018207", "American coot", "美洲骨顶鸡"),
        ("n02497673", "ring-tailed lemur", "环尾狐猴"),  # "Madagascar cat" is no cat
        ("n02514041", "barracouta", "杖蛇鲭"),  # Thyrsites atun, no barracuda
        ("n03250847", "drumstick (drum)", "鼓槌"),  # not the chicken's
        ("n03825788", "nipple (baby bottle)", "奶嘴"),
        ("n13052670", "hen-of-the-woods", "灰树花"),
    ],
)
def test_a_name_is_that_of_the_wordnet_id(wnid, name, name_zh):
    (label,) = (label for label in imagenet_labels() if label.wnid == wnid)

    assert (label.name, label.name_zh) == (name, name_zh)


@pytest.mark.parametrize(
    ("index", "name", "name_zh"),
    [
        (17, "jay", "冠蓝鸦"),  # the pictures are of blue jays
        (42, "agama", "飞蜥"),
        (345, "ox", "阉牛"),  # not any cattle: 牛
        (417, "balloon", "热气球"),  # the pictures are of hot-air balloons
        (513, "cornet", "小号"),
        (551, "face powder", "散粉"),
        (601, "hoop skirt", "裙撑裙"),
        (656, "minivan", "家用小型面包车"),
        (692, "packet", "小包"),
        (734, "police van", "囚车"),  # for prisoners: black Maria, paddy wagon
        (748, "purse", "零钱包"),  # for coins, not a handbag
        (759, "reflex camera", "单反相机"),
        (844, "electric switch", "开关"),
    ],
)
def test_a_chinese_name_is_what_a_chinese_reader_calls_it(index, name, name_zh):
    label = imagenet_labels()[index]

    assert (label.name, label.name_zh) == (name, name_zh)


def test_a_label_speaks_both_languages():
    label = Label(0, "n01440764", "tench", "丁鱥")

    assert [label.text(lang) for lang in LANGUAGES] == ["tench", "丁鱥"]
    assert label.text() == "tench"


def test_an_unknown_language_is_refused_with_those_that_there_are():
    with pytest.raises(RequestError, match=r"^no labels in language 'fr'; there are: en, zh$"):
        imagenet_labels()[0].text("fr")


def test_the_classes_are_read_once():
    assert imagenet_labels() is imagenet_labels()


def test_the_names_are_had_without_torch():
    program = (
        "import sys; from kkcv.zoo.labels import imagenet_labels; "
        "print(imagenet_labels()[0].name, 'torch' in sys.modules)"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert answer.stdout.split() == [b"tench", b"False"]
