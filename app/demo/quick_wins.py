"""What quick wins are made of: titles and milestones named after the work that units really do."""

from typing import NamedTuple


class Template(NamedTuple):
    """A quick win that any unit may run."""

    areas: tuple[str, ...]
    """Reform areas of rb-2020: the main one first, then up to two that it also serves."""
    tags: tuple[str, ...]
    """One or two topics."""
    title: str
    result: str
    """What is better afterwards."""
    steps: tuple[str, ...]
    """Titles of its milestones in order, 4-8."""


def _template(areas: str, tags: str, title: str, result: str, steps: str) -> Template:
    return Template(
        tuple(areas.split()), tuple(tags.split()), title, result, tuple(steps.split("; "))
    )


# A table: a quick win is easier to read on few lines.
# fmt: off
TEMPLATES = (
    _template("change-management human-resources", "agen-perubahan",
        "Agen perubahan di setiap subbagian",
        "Setiap subbagian memiliki agen perubahan dengan rencana aksi yang berjalan",
        "Penetapan SK agen perubahan; Pembekalan agen perubahan; Rencana aksi individu; "
        "Pelaksanaan aksi perubahan; Evaluasi dan penghargaan"),
    _template("change-management", "budaya-kerja",
        "Internalisasi nilai BerAKHLAK dan budaya kerja",
        "Pegawai memahami nilai dasar ASN dan menerapkannya dalam layanan tahapan",
        "Survei awal budaya kerja; Pakta budaya kerja; Sosialisasi nilai dasar; "
        "Forum berbagi bulanan; Survei akhir budaya kerja; Laporan hasil"),
    _template("change-management accountability", "tim-rb manajemen-rb",
        "Pokja reformasi birokrasi sampai satuan kerja",
        "Rencana kerja RB dipantau setiap triwulan oleh tim satuan kerja",
        "Penetapan SK tim RB; Penyusunan rencana kerja; Rapat pemantauan B06; "
        "Rapat pemantauan B09; Penilaian mandiri PMPRB"),
    _template("change-management public-service", "manajemen-media",
        "Publikasi capaian reformasi birokrasi di media sosial dan laman",
        "Masyarakat mengetahui setiap perubahan layanan pada bulan yang sama",
        "Kalender konten; Pelatihan tim publikasi; Publikasi triwulan I; "
        "Publikasi triwulan II; Publikasi triwulan III; Publikasi triwulan IV; Analisis jangkauan"),
    _template("change-management oversight", "kepemimpinan",
        "Komitmen pimpinan dan penandatanganan pakta integritas",
        "Seluruh pejabat menandatangani dan melaporkan pelaksanaan pakta integritas",
        "Naskah pakta integritas; Penandatanganan bersama; Publikasi pakta; Laporan pelaksanaan"),
    _template("deregulation", "produk-hukum jdih",
        "Inventarisasi seluruh produk hukum selama tahapan",
        "Semua keputusan selama tahapan terdaftar dan dapat dicari di JDIH",
        "Daftar awal produk hukum; Klasifikasi menurut tahapan; Pemindaian naskah; "
        "Unggah ke JDIH; Pemeriksaan kelengkapan; Penetapan daftar akhir"),
    _template("deregulation business-process", "produk-hukum",
        "Evaluasi keputusan yang tumpang tindih",
        "Keputusan yang tidak lagi berlaku dicabut dan diumumkan",
        "Pemetaan keputusan; Analisis tumpang tindih; Konsultasi dengan KPU provinsi; "
        "Usulan pencabutan; Penetapan dan pengumuman"),
    _template("deregulation public-service", "jdih",
        "Layanan JDIH ramah penyandang disabilitas",
        "Produk hukum pemilu dapat dibaca dengan pembaca layar",
        "Audit aksesibilitas; Konversi dokumen prioritas; Uji coba bersama komunitas; "
        "Perbaikan laman; Peluncuran layanan"),
    _template("deregulation organisation", "legal-drafting",
        "Templat baku penyusunan keputusan KPU kabupaten/kota",
        "Keputusan disusun dengan satu templat dan selesai dalam tiga hari kerja",
        "Kajian praktik penyusunan; Rancangan templat; Bimbingan teknis; Penerapan; "
        "Evaluasi mutu naskah"),
    _template("deregulation change-management", "sosialisasi-regulasi",
        "Klinik regulasi tahapan pemilu",
        "Badan ad hoc memperoleh jawaban tertulis dalam dua hari kerja",
        "Penetapan narasumber; Pembukaan kanal konsultasi; Kumpulan tanya jawab; "
        "Klinik keliling kecamatan; Rekap isu regulasi; Usulan perubahan peraturan"),
    _template("organisation", "penyederhanaan-birokrasi",
        "Penyederhanaan birokrasi dan penyetaraan jabatan",
        "Struktur lebih ringkas dan pejabat terdampak disetarakan",
        "Identifikasi jabatan; Usulan penyetaraan; Validasi Kementerian PANRB; "
        "Pelantikan jabatan fungsional; Penyesuaian mekanisme kerja"),
    _template("organisation human-resources", "anjab-abk",
        "Analisis jabatan dan analisis beban kerja",
        "Peta jabatan sesuai beban kerja tahapan",
        "Pembentukan tim anjab; Pengumpulan data beban kerja; Penyusunan uraian jabatan; "
        "Validasi peta jabatan; Penetapan hasil ABK; Penyampaian kebutuhan pegawai"),
    _template("organisation", "evaluasi-kelembagaan",
        "Evaluasi kelembagaan sekretariat",
        "Rekomendasi penataan tugas dan fungsi sekretariat ditindaklanjuti",
        "Kuesioner kelembagaan; Pengolahan hasil; Rekomendasi penataan; Tindak lanjut"),
    _template("organisation business-process", "tim-kerja",
        "Tim kerja lintas subbagian untuk tahapan",
        "Pekerjaan tahapan dijalankan tim kerja dengan keluaran yang jelas",
        "Pemetaan pekerjaan tahapan; SK tim kerja; Papan kerja bersama; Rapat kilat mingguan; "
        "Evaluasi tim kerja"),
    _template("organisation public-service", "badan-adhoc kelembagaan",
        "Penataan sekretariat PPK dan PPS",
        "Sekretariat badan ad hoc terbentuk dan siap bekerja sebelum tahapan dimulai",
        "Koordinasi dengan pemerintah daerah; Pemetaan sekretariat; Penetapan personel; "
        "Pembekalan sekretariat; Serah terima sarana; Monitoring lapangan; Laporan akhir"),
    _template("business-process", "sop",
        "Penyederhanaan SOP layanan dan tahapan",
        "Jumlah langkah dan waktu layanan berkurang sedikitnya sepertiga",
        "Inventarisasi SOP; Analisis langkah; Penyusunan SOP ringkas; Uji coba SOP; "
        "Penetapan SOP; Evaluasi penerapan"),
    _template("business-process deregulation", "arsip-digital arsip",
        "Arsip pemilu digital",
        "Arsip pemilu tersimpan, terklasifikasi dan ditemukan dalam lima menit",
        "Pendataan arsip; Penyusunan klasifikasi arsip; Alih media arsip vital; "
        "Unggah ke SRIKANDI; Penataan ruang arsip; Pemusnahan arsip inaktif; Uji temu kembali"),
    _template("business-process accountability", "spbe",
        "Tata naskah dinas elektronik dan tanda tangan elektronik",
        "Surat dinas ditandatangani secara elektronik pada hari yang sama",
        "Pendaftaran sertifikat elektronik; Pelatihan operator; Uji coba naskah elektronik; "
        "Penerapan penuh; Evaluasi waktu penyelesaian"),
    _template("business-process", "proses-bisnis",
        "Peta proses bisnis satuan kerja",
        "Peta proses bisnis selaras dengan rencana strategis",
        "Lokakarya pemetaan; Peta proses level 1; Peta lintas fungsi; Reviu; Penetapan peta"),
    _template("business-process public-service", "logistik",
        "Pelacakan logistik pemilu dengan kode QR",
        "Posisi logistik diketahui setiap hari sampai tingkat kecamatan",
        "Rancangan kode logistik; Pendataan gudang; Pelatihan petugas gudang; "
        "Uji coba pelacakan; Simulasi distribusi; Penerapan; Evaluasi; Rekomendasi"),
    _template("human-resources", "siakba badan-adhoc",
        "SIAKBA: data anggota dan badan ad hoc",
        "Data anggota KPU dan badan ad hoc lengkap dan mutakhir di SIAKBA",
        "Penunjukan admin SIAKBA; Pembersihan data anggota; Input data badan ad hoc; "
        "Verifikasi dokumen; Rekonsiliasi data; Laporan kelengkapan"),
    _template("human-resources accountability", "skp kinerja-pegawai",
        "Dialog kinerja dan SKP triwulanan",
        "Setiap pegawai memiliki SKP yang dinilai setiap triwulan",
        "Penyelarasan sasaran; Penetapan SKP; Dialog kinerja triwulan II; "
        "Dialog kinerja triwulan III; Penilaian akhir"),
    _template("human-resources", "kompetensi",
        "Peningkatan kompetensi teknis kepemiluan 20 JP",
        "Seluruh pegawai mengikuti sedikitnya 20 jam pelajaran",
        "Peta kebutuhan pelatihan; Jadwal pelatihan; Pelatihan gelombang I; "
        "Pelatihan gelombang II; Pelatihan gelombang III; Evaluasi pascapelatihan"),
    _template("human-resources oversight", "disiplin netralitas",
        "Netralitas dan disiplin ASN selama tahapan",
        "Tidak ada pelanggaran netralitas dan kehadiran tercatat secara elektronik",
        "Ikrar netralitas; Presensi elektronik; Sosialisasi kode perilaku; "
        "Rekap pelanggaran dan tindak lanjut"),
    _template("human-resources public-service", "rekrutmen badan-adhoc",
        "Seleksi PPK dan PPS berbasis komputer",
        "Seleksi badan ad hoc terbuka dan hasilnya diumumkan pada hari yang sama",
        "Kerja sama lokasi ujian; Penyiapan bank soal; Simulasi ujian; "
        "Pelaksanaan ujian tertulis; Pengumuman hasil; Wawancara; Penetapan terpilih"),
    _template("accountability", "sakip",
        "Penguatan SAKIP: penjenjangan kinerja sampai individu",
        "Nilai SAKIP naik satu predikat",
        "Reviu rencana strategis; Pohon kinerja; Perjanjian kinerja berjenjang; "
        "Pengukuran kinerja triwulanan; Laporan kinerja; Tindak lanjut evaluasi SAKIP"),
    _template("accountability", "lkjip pelaporan",
        "Laporan kinerja tepat waktu dan terbuka",
        "Laporan kinerja terbit di laman sebelum akhir Februari",
        "Pengumpulan data capaian; Draf laporan kinerja; Reviu APIP; Publikasi laporan"),
    _template("accountability business-process", "anggaran",
        "Percepatan realisasi anggaran dan pertanggungjawaban hibah",
        "Realisasi sesuai rencana penarikan dan pertanggungjawaban tanpa tunggakan",
        "Rencana penarikan dana; Percepatan pengadaan; Pemantauan IKPA; "
        "Rekonsiliasi hibah; Penyelesaian tunggakan"),
    _template("accountability oversight", "bmn",
        "Penertiban barang milik negara",
        "Seluruh BMN tercatat, berlabel dan memiliki penanggung jawab",
        "Pendataan BMN; Pelabelan; Rekonsiliasi SIMAK; Usulan penghapusan; "
        "Penetapan status penggunaan; Laporan barang"),
    _template("accountability public-service", "kinerja-terbuka",
        "Dasbor capaian kinerja untuk publik",
        "Capaian kinerja dapat dilihat publik setiap bulan",
        "Pemilihan indikator; Integrasi data; Rancangan dasbor; Uji coba; "
        "Peluncuran dasbor; Pemutakhiran bulanan; Survei pengguna"),
    _template("oversight public-service change-management", "zona-integritas wbk",
        "Satuan kerja percontohan Zona Integritas",
        "Satuan kerja diusulkan memperoleh predikat WBK",
        "Pencanangan Zona Integritas; Penetapan tim ZI; Pemenuhan enam area; "
        "Penilaian mandiri; Survei persepsi antikorupsi; Reviu tim penilai internal; "
        "Usulan ke Kementerian PANRB"),
    _template("oversight human-resources", "lhkpn lhkasn",
        "Kepatuhan LHKPN dan LHKASN seratus persen",
        "Seluruh wajib lapor menyampaikan laporan sebelum batas waktu",
        "Daftar wajib lapor; Pendampingan pengisian; Pemantauan mingguan; "
        "Rekonsiliasi dengan KPK; Laporan kepatuhan"),
    _template("oversight", "gratifikasi spip",
        "Unit pengendalian gratifikasi dan SPIP terintegrasi",
        "Risiko satuan kerja terpetakan dan laporan gratifikasi terbit tiap triwulan",
        "Pembentukan UPG; Penilaian risiko; Rencana tindak pengendalian; "
        "Laporan gratifikasi semester I; Penilaian maturitas SPIP; Laporan akhir"),
    _template("oversight", "wbs pengaduan",
        "Kanal whistleblowing dan benturan kepentingan",
        "Pengaduan ditangani dalam sepuluh hari kerja",
        "Penetapan tim penanganan; Pembukaan kanal; Sosialisasi; Rekap penanganan pengaduan"),
    _template("oversight accountability", "tindak-lanjut audit",
        "Penyelesaian tindak lanjut temuan BPK dan APIP",
        "Tidak ada rekomendasi yang terbuka lebih dari 60 hari",
        "Inventarisasi temuan; Rencana tindak lanjut; Pemenuhan bukti dukung; "
        "Pembahasan dengan APIP; Penutupan rekomendasi"),
    _template("public-service", "ppid informasi",
        "Layanan informasi internal dan eksternal selama tahapan",
        "Permohonan informasi dijawab dalam tiga hari kerja",
        "Daftar informasi publik; Standar layanan informasi; Penataan ruang layanan; "
        "Layanan WhatsApp; Laporan layanan triwulanan; Survei kepuasan"),
    _template("public-service business-process", "ppid mal-pelayanan",
        "Mal pelayanan kepemiluan dan pojok PPID",
        "Layanan kepemiluan tersedia di satu tempat bersama layanan daerah",
        "Nota kesepahaman dengan pemerintah daerah; Penetapan jenis layanan; Penyiapan loket; "
        "Pelatihan petugas; Pembukaan layanan; Evaluasi kunjungan"),
    _template("public-service", "dpt pemutakhiran",
        "Layanan cek DPT dan pemutakhiran data pemilih berkelanjutan",
        "Pemilih dapat memeriksa dan memperbaiki datanya dalam satu hari",
        "Sinkronisasi data kependudukan; Posko layanan DPT; Jemput bola di kelurahan; "
        "Pleno pemutakhiran triwulan II; Pleno pemutakhiran triwulan III; Penanganan tanggapan; "
        "Pengumuman hasil"),
    _template("public-service accountability", "hasil-suara sirekap",
        "Pindai formulir hasil suara dapat dilihat setiap pemilih",
        "Formulir hasil dari setiap TPS tampil di laman pada hari yang sama",
        "Pengadaan pemindai; Pelatihan operator; Uji beban laman; Simulasi pindai; "
        "Publikasi formulir"),
    _template("public-service deregulation", "paw",
        "Legalisasi hasil suara partai dan PAW yang lebih cepat",
        "Dokumen PAW dan legalisasi selesai dalam dua hari kerja",
        "Standar pelayanan; Maklumat pelayanan; Formulir daring; Uji coba layanan; "
        "Survei kepuasan; Perbaikan layanan"),
)
# fmt: on
"""Five quick wins for each of the eight areas."""
